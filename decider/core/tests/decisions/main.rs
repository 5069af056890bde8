//! The decision from the outside: its order, its sizes and what holds for every input.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot set its scene must fail"
)]

mod bounds;
mod order;
mod properties;
mod rates;
mod read_only;
mod retry;
mod scene;
mod shared;
mod sizes;
mod steps;
mod supersede;
mod told;
mod traps;
mod triggers;
mod unknown_class;
