//! What can go wrong around a step, and how to go on: one match.

use control::{
    retry::{RetryClass, classify},
    whole, write,
};
use executor_core::observed::Trouble;
use thiserror::Error;
use units::Reason;

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
    #[error("{0} is malformed")]
    Malformed(String, #[source] serde_json::Error),
    /// A write that goes to members failed.
    #[error("{}", .0.message)]
    Member(Box<Trouble>),
    /// The API server is too old for this write.
    #[error("{0}")]
    NotOffered(String),
    /// This process does not lead now; nothing was sent.
    #[error("this replica does not hold the lease")]
    NotLeading,
    /// A step names an object that was not observed.
    #[error("a step needs {0}, which was not observed")]
    NotObserved(&'static str),
    /// Deciding panicked.
    #[error("deciding about {request} panicked: {text}")]
    Panicked {
        /// The request.
        request: String,
        /// The panic's words.
        text: String,
    },
}

impl From<write::Error> for Error {
    fn from(error: write::Error) -> Self {
        Error::Write(Box::new(error))
    }
}

impl From<whole::Malformed> for Error {
    fn from(error: whole::Malformed) -> Self {
        Error::Malformed(error.name, error.source)
    }
}

impl Error {
    /// How to go on.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match self {
            Error::Read(_, error) => classify(error),
            Error::Write(error) => error.class(),
            Error::Malformed(..) => RetryClass::Invalid,
            Error::NotObserved(_) => RetryClass::Conflict,
            Error::NotOffered(_) => RetryClass::Blocked(Reason::InPlaceRefused),
            Error::Member(_) | Error::NotLeading => RetryClass::Transient,
            Error::Panicked { .. } => RetryClass::Bug,
        }
    }

    /// Whether the write got through to whoever takes it, whatever came of it; one that met another's write is made anew.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        match self {
            Error::Write(error) => {
                matches!(error.cause, write::Cause::Refused(_) | write::Cause::NoAnswer)
                    && self.class() != RetryClass::Conflict
            }
            Error::Member(_) | Error::NotOffered(_) => true,
            _ => false,
        }
    }

    /// The API server's words, when it refused a write that it would refuse again.
    #[must_use]
    pub fn refusal(&self) -> Option<(Reason, String)> {
        let error = match self {
            Error::Write(error) => error,
            Error::NotOffered(text) => return Some((Reason::InPlaceRefused, text.clone())),
            _ => return None,
        };
        let message = error.cause.to_string();
        match self.class() {
            RetryClass::Blocked(reason) => Some((reason, message)),
            RetryClass::Invalid => Some((Reason::Refused, message)),
            RetryClass::Conflict | RetryClass::Transient | RetryClass::Bug => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn write(cause: write::Cause) -> Error {
        Error::from(write::Error {
            verb: "patch",
            kind: "PersistentVolumeClaim".to_owned(),
            namespace: "demo".to_owned(),
            name: "data-pg-0".to_owned(),
            cause,
        })
    }

    #[test]
    fn a_write_that_did_not_get_through_was_not_sent() {
        let refused = |code| {
            write(write::Cause::Refused(Box::new(Status {
                code,
                ..Status::default()
            })))
        };
        for code in [403, 422, 429, 500, 503] {
            assert!(refused(code).was_sent(), "{code}");
        }
        assert!(write(write::Cause::NoAnswer).was_sent(), "a webhook may hang");
        let away = kube::Error::Service(std::io::Error::other("connection refused").into());
        for error in [refused(409), write(write::Cause::NotLeading), write(away.into())] {
            assert!(!error.was_sent(), "{error}");
        }
        assert!(!Error::NotLeading.was_sent());
    }
}
