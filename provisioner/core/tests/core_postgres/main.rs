//! What is decided about a database, from tables and for any input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conf;
mod deletion;
mod health;
mod phase;
mod plan;
mod settings;
