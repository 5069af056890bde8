//! The executor against a real API server. The test plays resizer and kubelet by writing status; the executor runs in
//! this process, so that it can be stopped after any single write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod crash;
mod hands;
mod keeper;
mod make;
mod odd;
mod patroni;
mod provisioner;
mod queue;
mod refuse;
mod release;
mod rolling;
mod runs;
mod scaling;
mod scraped;
mod server;
mod world;
