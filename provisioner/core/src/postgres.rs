//! A database: its settings, its phase and what is to be done next.
//!
//! Reading order: [`plan()`] (one look: which single write comes next), [`deletion`] (the same for one that goes),
//! [`settings`] (what PostgreSQL is told), [`health`] (what is said of members and primary), [`phase()`].

pub mod conf;
pub mod deletion;
pub mod differences;
pub mod health;
pub mod phase;
pub mod plan;
pub mod settings;

pub use phase::{Phase, phase};
pub use plan::{Claim, Deletion, Object, Observed, Pod, Policy, Standing, Step, StoreMap, plan};

use units::Reason;

/// Something to say of a database: a condition, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause in one word.
    pub reason: Reason,
    /// The same in a sentence, with what to do about it.
    pub message: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
