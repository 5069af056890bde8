//! The generated messages and service of `usage/v1/usage.proto`, and the [`codec`] between both sides.
//!
//! Both sides turn these into types of their own at the edge: the agent in `agent::uplink`, the decider in
//! `decider::ingest`.

pub mod codec;

/// What a replica takes in of a stream without reading it, in bytes: past it the agent merges its changes instead of queueing old
/// ones. tonic's default holds a MiB of them, and as long as a connection lives h2 keeps a place for each frame that ever waited
/// at the same time, and tonic one for the largest. An agent says no more than who it is before it knows of it. Most
/// messages are smaller; the longest past of a volume takes two windows.
pub const STREAM_WINDOW: u32 = 4 << 10;

/// Version 1 of the usage wire.
pub mod usage {
    /// See `usage/v1/usage.proto`.
    #[allow(missing_docs, clippy::all)]
    pub mod v1 {
        tonic::include_proto!("usage.v1");
    }
}
