//! What can go wrong around a step, and how to go on: one match.

use control::{
    retry::{RetryClass, classify},
    whole, write,
};
use kube::core::ParseExpressionError;
use thiserror::Error;

/// Why a look at a set ended early.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Something could not be read.
    #[error("cannot read {0}")]
    Read(String, #[source] kube::Error),
    /// Something could not be written.
    #[error(transparent)]
    Write(Box<write::Error>),
    /// An object is there and is not what its kind says.
    #[error(transparent)]
    Malformed(#[from] whole::Malformed),
    /// The set's selector selects nothing that can be asked for.
    #[error("spec.selector cannot be used")]
    Selector(#[source] ParseExpressionError),
    /// The set's template is not the data of a revision.
    #[error("spec.template cannot be kept as a revision")]
    Template(#[source] serde_json::Error),
    /// A step names an object that was not observed.
    #[error("a step needs {0}, which was not observed")]
    NotObserved(&'static str),
}

impl From<write::Error> for Error {
    fn from(error: write::Error) -> Self {
        Error::Write(Box::new(error))
    }
}

impl Error {
    /// How to go on.
    pub(crate) fn class(&self) -> RetryClass {
        match self {
            Error::Read(_, error) => classify(error),
            Error::Write(error) => error.class(),
            Error::Malformed(_) | Error::Selector(_) | Error::Template(_) => RetryClass::Invalid,
            Error::NotObserved(_) => RetryClass::Conflict,
        }
    }

    /// Whether something of the name is there already.
    pub(crate) fn is_already_exists(&self) -> bool {
        matches!(self, Error::Write(error) if error.is_already_exists())
    }

    /// The API server's words, when it refused a write that it would refuse again.
    pub(crate) fn refusal(&self) -> Option<String> {
        let Error::Write(error) = self else { return None };
        match error.class() {
            RetryClass::Blocked(_) | RetryClass::Invalid => Some(error.cause.to_string()),
            RetryClass::Conflict if error.is_already_exists() => Some(error.cause.to_string()),
            RetryClass::Conflict | RetryClass::Transient | RetryClass::Bug => None,
        }
    }
}
