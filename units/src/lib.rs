//! Values that every part shares: sizes, percentages, Kubernetes quantities, scaling rules and reasons.
//!
//! Pure: no clock, no I/O, no Kubernetes client. What it is not: a place for helpers.

mod bytes;
mod percent;
pub mod quantity;
mod reason;
pub mod rules;
mod usage;

pub use bytes::Bytes;
pub use percent::{Percent, PercentError};
pub use quantity::{Quantity, QuantityError};
pub use reason::Reason;
pub use rules::{Growth, Rules, ScalingRule};
pub use usage::Usage;
