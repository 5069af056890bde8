//! The decider on a real API server: samples go in over its own gRPC port, requests, status and Events come out.
//! There is no executor and no kubelet here: a test plays them by writing status.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod agent;
mod bad_input;
mod bed;
mod budget;
mod full_soon;
mod guards;
mod hands;
mod idle;
mod line;
mod pods;
mod readiness;
mod refused;
mod retained;
mod server;
mod supersede;
mod world;
