//! Values that every part shares: sizes, percentages, Kubernetes quantities, scaling rules and reasons.
//!
//! Pure: no clock, no I/O, no Kubernetes client. What it is not: a place for helpers.

mod reason;

pub use reason::Reason;
