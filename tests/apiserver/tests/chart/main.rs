//! The Helm chart against a real API server: what it refuses, what it leaves alone, and what its roles allow. That its pods run is
//! for the end-to-end tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]

mod alongside;
mod crds;
mod rights;
mod tools;
mod values;
