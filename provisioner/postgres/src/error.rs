//! What can go wrong around a step, and how to go on: one match.

use control::{
    retry::{RetryClass, classify},
    whole::Malformed,
    write,
};
use provisioner_core::postgres::Finding;
use thiserror::Error;
use units::Reason;

use crate::probe;

/// Why a look at a database ended early.
#[derive(Debug, Error)]
pub enum Error {
    /// Something could not be read.
    #[error("cannot read {0}")]
    Read(String, #[source] kube::Error),
    /// Something could not be written.
    #[error(transparent)]
    Write(Box<write::Error>),
    /// An object is there and is not what its kind says.
    #[error(transparent)]
    Malformed(Malformed),
    /// A step names an object that was not observed.
    #[error("a step needs {0}, which was not observed")]
    NotObserved(&'static str),
    /// Patroni's settings could not be changed.
    #[error("cannot change Patroni's settings")]
    Settings(#[source] probe::Error),
}

impl From<write::Error> for Error {
    fn from(error: write::Error) -> Self {
        Error::Write(Box::new(error))
    }
}

impl Error {
    /// How to go on.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match self {
            Error::Read(_, error) => classify(error),
            Error::Write(error) => error.class(),
            Error::Malformed(_) => RetryClass::Invalid,
            Error::NotObserved(_) => RetryClass::Conflict,
            Error::Settings(_) => RetryClass::Transient,
        }
    }

    /// What the user should know, when the API server refused a write that it would refuse again.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let Error::Write(error) = self else { return None };
        let reason = match self.class() {
            RetryClass::Blocked(reason) => reason,
            RetryClass::Invalid => Reason::Refused,
            RetryClass::Conflict | RetryClass::Transient | RetryClass::Bug => return None,
        };
        let remedy = reason.remedy();
        let message = format!("{error}: {}; {remedy}", error.cause);
        Some(Finding::new(reason, message))
    }
}
