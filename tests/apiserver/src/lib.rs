//! Tests against a real API server and its store, nothing else: no node, no controllers. The tests are in `tests/`, one file a
//! subject; the server comes from `cluster::apiserver`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is how a test fails"
)]

pub mod server;
