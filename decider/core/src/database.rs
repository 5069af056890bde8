//! A database as the decision sees it: its volumes, and what is known of the objects around them.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Reason};

use crate::{
    budget::Modified,
    rate::Trend,
    sample::{Sample, elapsed},
};

/// All that is known of one database at one moment.
#[derive(Debug, Clone)]
pub struct Database {
    /// `namespace/name` of the Postgres, for messages.
    pub name: String,
    /// The Postgres exists and is not being deleted.
    pub exists: bool,
    /// Names of the other autoscalers of this database.
    pub other_autoscalers: Vec<String>,
    /// `spec.storage.resources.requests.storage` of the Postgres.
    pub spec_size: Option<Bytes>,
    /// A size that whoever executes the request wants exceeded, besides what the volumes have; zero if there is
    /// none.
    pub floor: Bytes,
    /// Its data volumes, all members, by ordinal.
    pub volumes: Vec<Volume>,
    /// A VolumeExpansion request of this database that is not finished.
    pub open_request: Option<OpenRequest>,
    /// The last of this autoscaler's requests at the present size, if it failed.
    pub failed_request: Option<FailedRequest>,
    /// What shows that nobody resizes its claims, such as a resizer's Lease that is no longer renewed; none if nothing does,
    /// which does not prove that somebody is there.
    pub no_resizer: Option<String>,
    /// What keeps PostgreSQL from recycling its write-ahead log, in the words of the Postgres' condition.
    pub wal_retained: Option<String>,
    /// Quotas and limit ranges that bind these claims.
    pub rooms: Vec<Room>,
    /// This autoscaler's growths, failed ones left out, in any order.
    pub growths: Vec<PastGrowth>,
    /// When its claims were modified, by whomever.
    pub modified: Modified,
}

/// One data volume: its claim and what an agent says of its filesystem.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The claim behind it.
    pub claim: Claim,
    /// The filesystem behind it.
    pub usage: Usage,
    /// Where it is in being resized.
    pub resize: Resize,
    /// The filesystem's capacity as seen before the latest growth of the claim, until it has been seen to exceed it.
    pub before_growth: Option<Bytes>,
}

/// A claim and its volume, as the API server has them.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Name of the PersistentVolumeClaim.
    pub name: String,
    /// `spec.resources.requests.storage`.
    pub request: Bytes,
    /// `status.capacity.storage`; zero while unbound.
    pub capacity: Bytes,
    /// `spec.capacity.storage` of the PersistentVolume, which drivers round up to their unit.
    pub device: Bytes,
    /// What quotas charge for it: the larger of request and `status.allocatedResources`.
    pub charged: Bytes,
    /// A pod that uses the claim runs or starts; without one there is nothing to measure.
    pub mounted: bool,
    /// The storage class.
    pub class: String,
    /// The class exists and allows expansion.
    pub expandable: bool,
    /// What shows that somebody else resizes it, such as an annotation.
    pub other_controller: Option<String>,
}

/// Where a claim is in being resized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resize {
    /// The claim has what it asks for.
    Settled,
    /// Somebody is at work.
    InFlight {
        /// What is seen of it.
        what: String,
    },
    /// The driver says that the size cannot be had: what the claim asks for is not what it will get.
    Infeasible,
    /// The request that asked for it failed: what the claim asks for may never come.
    Abandoned,
}

/// What is known of a filesystem. Missing data is unknown, never zero.
#[derive(Debug, Clone)]
pub enum Usage {
    /// No agent has ever measured it.
    Never,
    /// An agent reported it, but nothing that could be believed.
    Refused {
        /// Why.
        reason: Reason,
        /// The contradiction, with its node.
        text: String,
    },
    /// Measured.
    Seen(Seen),
}

/// The newest measurement of a filesystem.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The numbers.
    pub sample: Sample,
    /// They held at least until then.
    pub as_of: Timestamp,
    /// How they came about, as of then.
    pub trend: Trend,
    /// The node that measured.
    pub node: String,
    /// The number of inodes was fixed when the filesystem was made (ext2 to ext4, not xfs or btrfs), so that
    /// running out of them is a lack of size.
    pub fixed_inodes: bool,
    /// The filesystem is another machine's and holds more than this volume.
    pub network: bool,
    /// Another PersistentVolume was seen on the same device of the node.
    pub shared: bool,
    /// It cannot be measured now: the errno of a statfs that fails, 0 when it does not come back.
    pub stuck: Option<u32>,
}

/// Space that a quota or a limit range leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// All claims together may be charged this much more.
    Sum {
        /// The ResourceQuota and its resource.
        what: String,
        /// Bytes left.
        left: Bytes,
    },
    /// No claim may be larger.
    Each {
        /// The LimitRange.
        what: String,
        /// Bytes.
        max: Bytes,
    },
}

/// A request that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    /// Its name.
    pub name: String,
    /// When it was made, if it is this autoscaler's, carries `apply: IfReady` and waits for the database to be Ready.
    pub waits_since: Option<Timestamp>,
}

/// A request that failed at the present size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// Its name.
    pub name: String,
    /// When it ended.
    pub at: Timestamp,
    /// Failures at this size, one after the other.
    pub in_a_row: u32,
    /// Why it failed, if that is known.
    pub why: Option<Reason>,
    /// The smallest of the sizes asked for in this row that the driver says cannot be had.
    pub infeasible: Option<Bytes>,
}

/// A growth that this autoscaler asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastGrowth {
    /// When.
    pub at: Timestamp,
    /// Size before.
    pub from: Bytes,
    /// Size after.
    pub to: Bytes,
}

/// A request is left to wait at least this long before another takes its place: creation times are whole seconds,
/// and of two requests of one second the executor cannot tell which is newer.
const SUPERSEDED_AFTER: Duration = Duration::from_secs(2);
/// Wait after a first failure; doubled by each further one at the same size.
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// The longest wait: a provider's hourly window is met at most ten minutes late.
const RETRY_LONGEST: Duration = Duration::from_secs(600);

impl Database {
    /// One that exists and has these volumes; of everything else nothing is known.
    #[must_use]
    pub fn of(name: &str, volumes: Vec<Volume>) -> Self {
        Self {
            name: name.to_owned(),
            exists: true,
            other_autoscalers: Vec::new(),
            spec_size: None,
            floor: Bytes::ZERO,
            volumes,
            open_request: None,
            failed_request: None,
            no_resizer: None,
            wal_retained: None,
            rooms: Vec::new(),
            growths: Vec::new(),
            modified: Modified::default(),
        }
    }
}

impl OpenRequest {
    /// How much longer another request may not take its place; `None` if none may at all.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let waited = elapsed(self.waits_since?, now);
        Some(SUPERSEDED_AFTER.saturating_sub(waited))
    }
}

impl FailedRequest {
    /// How long after its end the next request waits.
    #[must_use]
    pub fn wait(&self) -> Duration {
        let doublings = self.in_a_row.saturating_sub(1).min(16);
        RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_LONGEST)
    }
}

impl Seen {
    /// Time since the numbers were last known to hold.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        elapsed(self.as_of, now)
    }

    /// Too old to act upon.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp, limit: Duration) -> bool {
        self.age(now) > limit
    }
}

impl Volume {
    /// The measurement, if there is one and it is fresh.
    #[must_use]
    pub fn fresh(&self, now: Timestamp, limit: Duration) -> Option<&Seen> {
        match &self.usage {
            Usage::Seen(seen) if !seen.is_stale(now, limit) => Some(seen),
            Usage::Seen(_) | Usage::Never | Usage::Refused { .. } => None,
        }
    }

    /// The measurement, however old.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        match &self.usage {
            Usage::Seen(seen) => Some(seen),
            Usage::Never | Usage::Refused { .. } => None,
        }
    }
}
