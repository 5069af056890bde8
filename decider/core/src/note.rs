//! Something a user should know that is no decision: it becomes a condition beside the decision's.

use units::Reason;

/// A reason with the words for this object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The cause.
    pub reason: Reason,
    /// What is particular to this object.
    pub text: String,
}

impl Note {
    /// A note.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    /// Text and remedy: what a condition, an Event and a log line print.
    #[must_use]
    pub fn message(&self) -> String {
        match self.reason.remedy() {
            "" => self.text.clone(),
            remedy => format!("{}; {remedy}", self.text),
        }
    }
}
