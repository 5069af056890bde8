//! How the controllers' foundation behaves on a real API server: lease, watches, writes, Events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod events;
mod leader;
mod proxy;
mod refusals;
mod server;
mod watch;
mod widget;
mod writes;
