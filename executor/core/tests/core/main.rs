//! The core's tests: tables for every state and cause, and a model of the world in which every interleaving of a small
//! run is tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod causes;
mod checks;
mod driver_words;
mod ending;
mod explore;
mod fixture;
mod growing;
mod model;
mod overdue;
mod queue;
mod quotas;
mod rolling;
mod scaling;
mod server;
mod states;
