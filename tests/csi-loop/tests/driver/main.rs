//! The real driver over its real socket, with real loop devices and XFS: what sidecars and kubelet would see.
//!
//! Needs root, loop devices and xfsprogs, so plain `cargo test` leaves it out (`test = false`); run it by name:
//! `cargo test -p csi-loop --test driver`. Without root it fails and says so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends so; clippy sees no test in its helpers"
)]

mod calls;
mod expansion;
mod faults;
mod lifecycle;
mod restart;
mod rig;
