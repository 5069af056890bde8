//! Why a session gives no answer, or not the wanted one.

use std::{error, net::SocketAddr, time::Duration};

use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Why a session gives no answer, or not the wanted one.
#[derive(Debug, Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("PostgreSQL at {0} cannot be reached")]
    Unreachable(SocketAddr, #[source] Box<dyn error::Error + Send + Sync>),
    /// The whole call took too long; what it was to change may have changed.
    #[error("PostgreSQL at {0} did not answer within {1:?}")]
    TimedOut(SocketAddr, Duration),
    /// No such role, a wrong password, or no entry in `pg_hba.conf` (class 28).
    #[error("PostgreSQL refuses the login: {0}")]
    Unauthorised(String),
    /// The server is up but takes no sessions yet or any more (57P01 to 57P03): starting, in crash recovery, shutting down.
    #[error("PostgreSQL takes no sessions: {0}")]
    NotAccepting(String),
    /// The server refused the statement.
    #[error("PostgreSQL refuses ({code}): {text}")]
    Refused {
        /// SQLSTATE, five characters: `53100` is a full disk.
        code: String,
        /// The server's words, one line, at most 500 characters.
        text: String,
    },
    /// The answer has another shape than asked for.
    #[error("the answer of PostgreSQL at {0} is not understood")]
    NotUnderstood(SocketAddr, #[source] Box<dyn error::Error + Send + Sync>),
    /// An earlier call ended the session.
    #[error("the session with PostgreSQL at {0} is closed")]
    Closed(SocketAddr),
}

impl Error {
    /// Whether the disk is full (53100) by the server's word.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == SqlState::DISK_FULL.code())
    }

    pub(super) fn from_server(addr: SocketAddr, error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return Self::Unreachable(addr, error.into());
        };
        let text = crate::one_line(refusal.message());
        let code = refusal.code();
        match code.code() {
            "28000" | "28P01" => Self::Unauthorised(text),
            "57P01" | "57P02" | "57P03" => Self::NotAccepting(text),
            code => Self::Refused {
                code: code.to_owned(),
                text,
            },
        }
    }
}
