//! What came of deciding, also where a defect kept it from ending.

use decider_core::{Decision, Note, Record};
use units::Reason;

/// What came of deciding.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A decision.
    Decided(Box<Decision>),
    /// A defect.
    Panicked {
        /// Its words.
        text: String,
    },
}

impl Outcome {
    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::Decided(decision) => decision.reason(),
            Self::Panicked { .. } => Reason::InternalError,
        }
    }

    /// The one text.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Decided(decision) => decision.record().message(),
            Self::Panicked { text } => Note::new(Reason::InternalError, text.as_str()).message(),
        }
    }

    /// What keeps the database from growing even if it had to.
    pub(super) fn barrier(&self) -> Option<Note> {
        match self {
            Self::Decided(decision) => decision.record().barrier.clone(),
            Self::Panicked { text } => Some(Note::new(Reason::InternalError, text.as_str())),
        }
    }

    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Self::Decided(decision) => Some(decision.record()),
            Self::Panicked { .. } => None,
        }
    }
}
