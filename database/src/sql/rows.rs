//! What is asked, and how the rows read.

use std::net::SocketAddr;

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{FromSql, PgLsn},
};

use super::Error;
use crate::Lsn;

pub(super) const POSITION: &str = "SELECT CASE WHEN pg_is_in_recovery() \
    THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_lsn() END";

pub(super) const REPLICATION: &str = "SELECT application_name, state, sync_state, sent_lsn, flush_lsn, replay_lsn \
    FROM pg_stat_replication WHERE application_name IS NOT NULL AND state IS NOT NULL ORDER BY application_name";

// On a standby the distance is counted from what it has received.
pub(super) const SLOTS: &str = "SELECT slot_name, slot_type, active, restart_lsn, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, \
    restart_lsn)::bigint, wal_status FROM pg_replication_slots ORDER BY slot_name";

// PostgreSQL's walsender.c counts one as `startup` until it sends; its walreceiver gives up after a minute of that, and tries anew.
pub(super) const END_SEGMENT: &str = "SELECT pg_switch_wal() FROM pg_stat_replication WHERE state = 'startup' \
    AND starts_with(application_name, current_setting('cluster_name') || '-') \
    AND now() - backend_start BETWEEN interval '3 s' AND interval '20 s' LIMIT 1";

pub(super) const DROP_SLOT: &str = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
    WHERE slot_name = $1";

// A segment that waits has a file `<segment>.ready` (PostgreSQL's pgarch.c).
pub(super) const ARCHIVER: &str = "SELECT current_setting('archive_mode') <> 'off', last_archived_time, \
    last_failed_wal, last_failed_time, stats_reset, \
    (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') * \
    (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') FROM pg_stat_archiver";

/// A receiver, from `pg_stat_replication`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streaming {
    /// The member's name: Patroni connects under it.
    pub application_name: String,
    /// `streaming`, `catchup`, `startup`, `backup` or `stopping`.
    pub state: String,
    /// `async`, `potential`, `sync` or `quorum`.
    pub sync_state: String,
    /// Sent to it.
    pub sent_lsn: Option<Lsn>,
    /// On its disk.
    pub flush_lsn: Option<Lsn>,
    /// Visible there.
    pub replay_lsn: Option<Lsn>,
}

/// A replication slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Patroni names a member's slot after it, with `_` for `-`.
    pub name: String,
    /// `physical` or `logical`.
    pub slot_type: String,
    /// Someone receives through it.
    pub active: bool,
    /// The oldest log it keeps; none before its first use.
    pub restart_lsn: Option<Lsn>,
    /// Bytes of log from there to the present end; zero when it keeps none.
    pub retained_bytes: u64,
    /// `reserved`, `extended`, `unreserved`, `lost`; none before its first use.
    pub wal_status: Option<String>,
}

/// The state of archiving, from `pg_stat_archiver` and the archiver's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archiver {
    /// `archive_mode` is not off.
    pub on: bool,
    /// Last success.
    pub last_archived: Option<Timestamp>,
    /// The segment that failed last.
    pub last_failed_wal: Option<String>,
    /// Last failure.
    pub last_failed: Option<Timestamp>,
    /// Since when the server counts.
    pub counted_since: Option<Timestamp>,
    /// Bytes of log that wait to be archived.
    pub waiting_bytes: u64,
}

impl Streaming {
    /// Whether it has connected and is sent nothing yet.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.state == "startup"
    }

    /// Whether it follows without a gap: neither catching up nor copying.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.state == "streaming"
    }
}

impl Archiver {
    /// Since when archiving fails: the last success before the last failure, or when counting began. None when it is off or the last
    /// try succeeded.
    #[must_use]
    pub fn failing_since(&self) -> Option<Timestamp> {
        let failed = self.last_failed.filter(|_| self.on)?;
        match self.last_archived {
            Some(archived) if archived > failed => None,
            Some(archived) => Some(archived),
            None => Some(self.counted_since.unwrap_or(failed)),
        }
    }
}

pub(super) fn cell<'a, T: FromSql<'a>>(addr: SocketAddr, row: &'a Row, column: usize) -> Result<T, Error> {
    row.try_get(column)
        .map_err(|error| Error::NotUnderstood(addr, error.into()))
}

pub(super) fn position(addr: SocketAddr, row: &Row, column: usize) -> Result<Lsn, Error> {
    cell::<PgLsn>(addr, row, column).map(|lsn| Lsn(lsn.into()))
}

fn maybe_position(addr: SocketAddr, row: &Row, column: usize) -> Result<Option<Lsn>, Error> {
    Ok(cell::<Option<PgLsn>>(addr, row, column)?.map(|lsn| Lsn(lsn.into())))
}

/// A count that the server gives as a signed number, or not at all.
fn bytes(addr: SocketAddr, row: &Row, column: usize) -> Result<u64, Error> {
    let bytes = cell::<Option<i64>>(addr, row, column)?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0))
}

pub(super) fn streaming(addr: SocketAddr, row: &Row) -> Result<Streaming, Error> {
    Ok(Streaming {
        application_name: cell(addr, row, 0)?,
        state: cell(addr, row, 1)?,
        sync_state: cell::<Option<_>>(addr, row, 2)?.unwrap_or_default(),
        sent_lsn: maybe_position(addr, row, 3)?,
        flush_lsn: maybe_position(addr, row, 4)?,
        replay_lsn: maybe_position(addr, row, 5)?,
    })
}

pub(super) fn slot(addr: SocketAddr, row: &Row) -> Result<Slot, Error> {
    Ok(Slot {
        name: cell(addr, row, 0)?,
        slot_type: cell(addr, row, 1)?,
        active: cell(addr, row, 2)?,
        restart_lsn: maybe_position(addr, row, 3)?,
        retained_bytes: bytes(addr, row, 4)?,
        wal_status: cell(addr, row, 5)?,
    })
}

pub(super) fn archiver(addr: SocketAddr, row: &Row) -> Result<Archiver, Error> {
    Ok(Archiver {
        on: cell(addr, row, 0)?,
        last_archived: cell(addr, row, 1)?,
        last_failed_wal: cell(addr, row, 2)?,
        last_failed: cell(addr, row, 3)?,
        counted_since: cell(addr, row, 4)?,
        waiting_bytes: bytes(addr, row, 5)?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Archiver;

    #[test]
    fn since_when_archiving_fails() {
        let at = |second: i64| Some(Timestamp::from_second(second).unwrap());
        let table = [
            // on, archived, failed, counted since -> failing since
            (true, None, None, at(1), None),
            (true, at(5), None, at(1), None),
            (true, at(5), at(4), at(1), None),
            (true, at(5), at(6), at(1), at(5)),
            (true, None, at(6), at(1), at(1)),
            (true, None, at(6), None, at(6)),
            (false, at(5), at(6), at(1), None),
        ];
        for (on, last_archived, last_failed, counted_since, since) in table {
            let archiver = Archiver {
                on,
                last_archived,
                last_failed_wal: None,
                last_failed,
                counted_since,
                waiting_bytes: 0,
            };
            assert_eq!(archiver.failing_since(), since, "{archiver:?}");
        }
    }
}
