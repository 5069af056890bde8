//! The program itself, against an API server of the test's making whose service proxy leads to a view.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod answers;
mod backtest;
mod cluster;
mod watch;
