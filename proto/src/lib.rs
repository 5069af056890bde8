//! The generated messages and service of `usage/v1/usage.proto`, and the [`codec`] between both sides.
//!
//! Both sides turn these into types of their own at the edge: the agent in `agent::uplink`, the decider in
//! `decider::ingest`.

pub mod codec;

/// Version 1 of the usage wire.
pub mod usage {
    /// See `usage/v1/usage.proto`.
    #[allow(missing_docs, clippy::all)]
    pub mod v1 {
        tonic::include_proto!("usage.v1");
    }
}
