//! What can go wrong in a call, and the gRPC status each is: one match, because callers retry by the code.

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;
use tonic::{Code, Status};

use crate::{command::CommandError, faults::FaultsError, sizes::SizeError};

/// Why a call failed.
#[derive(Debug, Error)]
pub enum Error {
    /// A required field is empty.
    #[error("{field} is required")]
    Missing {
        /// Its name in the specification.
        field: &'static str,
    },
    /// The name cannot be a directory's.
    #[error(
        "volume name {name:?} is not made of 1 to 128 letters, digits, `-`, `_` and `.`, the first no `.`"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// The capability is not ours.
    #[error("not supported: {why}")]
    BadCapability {
        /// What was asked.
        why: String,
    },
    /// The size cannot be.
    #[error("size refused")]
    Size(#[source] SizeError),
    /// Nothing is known of the volume.
    #[error("no volume {id}")]
    NoVolume {
        /// The volume's id.
        id: String,
    },
    /// The name is taken by a volume of another size.
    #[error("volume {id} exists with {present} bytes, which is not what is asked")]
    OtherSize {
        /// The volume's id.
        id: String,
        /// Its size.
        present: u64,
    },
    /// It is mounted, so it cannot be deleted.
    #[error("volume {id} is mounted at {path}")]
    InUse {
        /// The volume's id.
        id: String,
        /// One of the places.
        path: PathBuf,
    },
    /// It is not mounted where it must be.
    #[error("volume {id} is not mounted at {path}")]
    NotMounted {
        /// The volume's id.
        id: String,
        /// The place.
        path: PathBuf,
    },
    /// It is not staged yet.
    #[error("volume {id} is not staged at {path}")]
    NotStaged {
        /// The volume's id.
        id: String,
        /// The place.
        path: PathBuf,
    },
    /// Something else is mounted there, or the same in another mode; it stays.
    #[error("volume {id}: {path} holds another mount, or the same with other options")]
    Incompatible {
        /// The volume's id.
        id: String,
        /// The place.
        path: PathBuf,
    },
    /// The controller has not grown the device yet.
    #[error("volume {id} has a device of {present} bytes, {wanted} are asked")]
    DeviceSmall {
        /// The volume's id.
        id: String,
        /// The device's size.
        present: u64,
        /// The size asked.
        wanted: u64,
    },
    /// A fault of kind `offline_only`.
    #[error("volume {id} is in use, this driver expands offline only")]
    OfflineOnly {
        /// The volume's id.
        id: String,
    },
    /// A fault of kind `refuse` or `rate_limit`.
    #[error("{message}")]
    Refused {
        /// The status asked for.
        code: Code,
        /// The text asked for.
        message: String,
    },
    /// The fault rules cannot be read; better than passing a call that a test wants to fail.
    #[error("fault rules")]
    Faults(#[source] FaultsError),
    /// The driver stops while the call waits.
    #[error("the driver stops")]
    Stopping,
    /// A tool failed.
    #[error("volume {id}")]
    Command {
        /// The volume's id.
        id: String,
        /// Which and why.
        source: CommandError,
    },
    /// A file, a mount or a device failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A volume's record holds something else.
    #[error("{path} is not a volume's record")]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The work panicked.
    #[error("the work on the volume was abandoned")]
    Abandoned(#[source] tokio::task::JoinError),
}

impl Error {
    /// Says what was tried on which path.
    pub(crate) fn io<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source: source.into(),
        }
    }

    /// The gRPC code, as the CSI specification has it for each case.
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } | Self::BadName { .. } | Self::BadCapability { .. } => Code::InvalidArgument,
            Self::Size(SizeError::Negative | SizeError::NotGiven) => Code::InvalidArgument,
            Self::Size(
                SizeError::AboveMaximum { .. } | SizeError::AboveLimit { .. } | SizeError::Shrink { .. },
            ) => Code::OutOfRange,
            Self::NoVolume { .. } | Self::NotMounted { .. } => Code::NotFound,
            Self::OtherSize { .. } | Self::Incompatible { .. } => Code::AlreadyExists,
            Self::InUse { .. } | Self::NotStaged { .. } | Self::OfflineOnly { .. } => {
                Code::FailedPrecondition
            }
            Self::Refused { code, .. } => *code,
            Self::Stopping => Code::Unavailable,
            Self::DeviceSmall { .. }
            | Self::Faults(_)
            | Self::Command { .. }
            | Self::Io { .. }
            | Self::Record { .. }
            | Self::Abandoned(_) => Code::Internal,
        }
    }

    /// The error and its causes in one line.
    fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.chain())
    }
}
