//! The PetSet controller against a real API server. Kubernetes' own StatefulSet controller runs beside it, and the test
//! plays kubelet for the pods of both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod basics;
mod compare;
mod hold;
mod kubelet;
mod others;
mod refusals;
mod server;
mod world;
