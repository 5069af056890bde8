//! The definitions and the warnings on a real API server: what is accepted, what is refused and with which words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod fixtures;
mod looks;
mod request;
mod server;
mod table;
