//! The usage service over a real gRPC connection: what a well-meant agent gets recorded, and what anybody else
//! gets for an answer.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod bed;
mod nodes;
mod refusals;
mod reports;
mod shared;
mod streams;
