//! The view over a real TCP connection: what is asked, in which order, and what is refused. The objects are the test's; there is
//! no API server, and the decider does not lead.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod answers;
mod bed;
