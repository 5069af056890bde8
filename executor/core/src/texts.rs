//! The words of conditions and Events, KubeDB's where it has them, and the time arithmetic behind deadlines.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use units::Reason;

use crate::{operation, request::Request};

pub(crate) const RUNNING: &str = "Postgres ops request is expanding volume of database";
pub(crate) const SUCCESSFUL: &str = "Successfully Expanded Volume.";
pub(crate) const SUCCESSFUL_EVENT: &str = "Successfully Expanded Volume";

/// A message with what a user can do about it.
pub(crate) fn with_remedy(reason: Reason, what: &str) -> String {
    match reason.remedy() {
        "" => what.to_owned(),
        remedy => format!("{what}: {remedy}"),
    }
}

pub(crate) fn no_database(request: &Request) -> String {
    format!(
        "spec.databaseRef {}, is invalid or not found",
        request.database_path()
    )
}

pub(crate) fn expanded(request: &Request) -> String {
    let mode = if operation::is_offline(request) {
        "Offline"
    } else {
        "Online"
    };
    format!(
        "{mode} Volume Expansion performed successfully in Postgres pods for PostgresDBOpsRequest: {}",
        request.path()
    )
}

/// `time` plus `span`, or the end of time.
pub(crate) fn after(time: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span)
        .ok()
        .and_then(|span| time.checked_add(span).ok())
        .unwrap_or(Timestamp::MAX)
}
