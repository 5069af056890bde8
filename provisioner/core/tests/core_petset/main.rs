//! The PetSet's decisions: tables of single ones, and properties of whole runs against a model of API server and kubelet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod claims;
mod history;
mod hold;
mod model;
mod ordered;
mod parallel;
mod properties;
mod status;
