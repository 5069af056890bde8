//! Why a write failed, and what to do then.

use kube::core::Status;
use thiserror::Error;

use crate::retry::{RetryClass, classify, classify_status};

/// A write that did not happen, or whose outcome is unknown.
#[derive(Debug, Error)]
#[error("cannot {verb} {kind} {namespace}/{name}")]
pub struct Error {
    /// What was tried.
    pub verb: &'static str,
    /// Kind of the object.
    pub kind: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Why it failed.
    #[source]
    pub cause: Cause,
}

/// Why a write failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Cause {
    /// This process does not lead now; nothing was sent.
    #[error("this replica does not hold the lease")]
    NotLeading,
    /// No answer in time; the write may or may not have happened.
    #[error("the API server does not answer")]
    NoAnswer,
    /// The API server refused.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The request did not get through, or its answer cannot be read.
    #[error("the request failed")]
    Client(#[source] kube::Error),
    /// The patch given is not an object.
    #[error("the patch is not an object")]
    NotAnObject,
}

impl From<kube::Error> for Cause {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            error => Self::Client(error),
        }
    }
}

impl Error {
    /// How to go on.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match &self.cause {
            Cause::NotLeading | Cause::NoAnswer => RetryClass::Transient,
            Cause::Refused(status) => classify_status(status),
            Cause::Client(error) => classify(error),
            Cause::NotAnObject => RetryClass::Bug,
        }
    }

    /// Whether nothing was sent because this process does not lead.
    #[must_use]
    pub fn is_not_leading(&self) -> bool {
        matches!(self.cause, Cause::NotLeading)
    }

    /// Whether an object of this name is there already.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        matches!(&self.cause, Cause::Refused(status) if status.is_already_exists())
    }

    /// Whether the API server knows no such path, whatever the object: an older one lacks a subresource. Its words are those of
    /// kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go, `NewGenericServerResponse`.
    #[must_use]
    pub fn is_no_such_path(&self) -> bool {
        matches!(&self.cause, Cause::Refused(status)
            if status.is_not_found() && status.message.contains("could not find the requested resource"))
    }

    /// Whether there is no object of this name.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(&self.cause, Cause::Refused(status) if status.is_not_found())
    }
}
