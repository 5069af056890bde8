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

/// How long the expansion of a volume takes where nothing is known. Nobody publishes it: GKE's controller takes 6.7 s
/// (kubernetes/kubernetes#131402), a kubelet that is not nudged up to two minutes (topolvm/topolvm#496).
pub const EXPECTED_EXPANSION: std::time::Duration = std::time::Duration::from_secs(60);
