//! The Postgres controller against a real API server. The test plays PetSet controller, kubelet and Patroni by writing pods,
//! claims and their status; the controller runs in this process, so that it can be stopped after any single write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod crash;
mod deletion;
mod hands;
mod objects;
mod pause;
mod phases;
mod played;
mod rest;
#[path = "../executor/server.rs"]
mod server;
mod spec;
mod template;
mod world;
