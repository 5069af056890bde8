//! The database of a replay: volumes of the replay's size with the recording's usage, as the decider is shown them.

use decider_core::{
    Claim, Database, Modified, OpenRequest, PastGrowth, Point, Resize, Sample, Seen, Usage, Volume, Window,
};
use jiff::Timestamp;
use units::{Bytes, Usage as Filesystem};

use super::Reading;

const GIB: f64 = 1_073_741_824.0;
/// There is at most one request in flight, and this is its name.
const REQUEST: &str = "replayed";

/// The database.
pub(super) struct Scene {
    name: String,
    members: Vec<Member>,
    growing: Option<Growing>,
    growths: Vec<PastGrowth>,
}

/// A volume.
struct Member {
    claim: String,
    /// The claim's, in the replay.
    size: u64,
    /// What the filesystem needs of it for itself: as much as in the first reading.
    overhead: u64,
    /// What the filesystem keeps from users: as much as in the newest reading.
    reserve: u64,
    used: u64,
    sampled_at: Timestamp,
    window: Window,
    was_full: bool,
}

/// A growth on its way.
struct Growing {
    to: u64,
    ready: Timestamp,
}

impl Scene {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            members: Vec::new(),
            growing: None,
            growths: Vec::new(),
        }
    }

    /// Takes in a measurement: a volume that is new begins with the size it has there.
    pub(super) fn take(&mut self, reading: Reading) {
        let Reading {
            at,
            claim,
            size,
            capacity,
            available,
            used,
            ..
        } = reading;
        let available = available.unwrap_or_else(|| capacity.saturating_sub(used));
        let reserve = capacity.saturating_sub(used.saturating_add(available));
        if let Some(member) = self.members.iter_mut().find(|m| m.claim == claim) {
            (member.used, member.reserve, member.sampled_at) = (used, reserve, at);
            member.remember();
            return;
        }
        let size = size.unwrap_or(capacity).max(capacity);
        let mut member = Member {
            claim,
            size,
            overhead: size - capacity,
            reserve,
            used,
            sampled_at: at,
            window: Window::default(),
            was_full: false,
        };
        member.remember();
        self.members.push(member);
        self.members.sort_by(|a, b| a.claim.cmp(&b.claim));
    }

    pub(super) fn grow(&mut self, from: Bytes, to: Bytes, at: Timestamp, ready: Timestamp) {
        self.growths.push(PastGrowth { at, from, to });
        self.growing = Some(Growing { to: to.get(), ready });
    }

    /// When the growth on its way is done.
    pub(super) fn ready(&self) -> Option<Timestamp> {
        self.growing.as_ref().map(|g| g.ready)
    }

    /// Ends the growth if its time has come.
    pub(super) fn finish(&mut self, now: Timestamp) {
        if let Some(growing) = self.growing.take_if(|g| g.ready <= now) {
            let members = self.members.iter_mut();
            members.for_each(|m| m.size = m.size.max(growing.to));
        }
    }

    /// As the decider is shown it.
    pub(super) fn database(&self, now: Timestamp) -> Database {
        Database {
            open_request: self.growing.as_ref().map(|_| OpenRequest {
                name: REQUEST.into(),
                waits_since: None,
            }),
            growths: self.growths.clone(),
            modified: Modified {
                at: self.growths.iter().map(|growth| growth.at).collect(),
                unknown_before: None,
            },
            ..Database::of(&self.name, self.members.iter().map(|m| m.volume(now)).collect())
        }
    }

    /// Claims of volumes that are full now and were not at the last call.
    pub(super) fn newly_full(&mut self) -> Vec<String> {
        let newly = self.members.iter_mut().filter_map(|m| {
            let full = m.is_full();
            let before = std::mem::replace(&mut m.was_full, full);
            (m.was_full && !before).then(|| m.claim.clone())
        });
        newly.collect()
    }

    /// Claims of volumes that were full at the last look.
    pub(super) fn full(&self) -> Vec<String> {
        let full = self.members.iter().filter(|m| m.was_full);
        full.map(|m| m.claim.clone()).collect()
    }

    /// Percent of the fullest.
    pub(super) fn highest(&self) -> u8 {
        let all = self.members.iter().map(|m| m.filesystem().percent().get());
        all.max().unwrap_or(0)
    }

    /// Size of the largest.
    pub(super) fn size(&self) -> Bytes {
        Bytes::new(self.members.iter().map(|m| m.size).max().unwrap_or(0))
    }

    /// GiB that are there and not used, over all volumes.
    #[expect(clippy::cast_precision_loss, reason = "an amount for people")]
    pub(super) fn unused_gib(&self) -> f64 {
        let all = self.members.iter();
        all.map(|m| m.size.saturating_sub(m.used) as f64 / GIB).sum()
    }
}

impl Member {
    /// Puts what is now into its past.
    fn remember(&mut self) {
        let Filesystem { capacity, used, .. } = self.filesystem();
        let at = self.sampled_at;
        self.window.push(Point { at, used, capacity });
    }

    fn capacity(&self) -> u64 {
        self.size - self.overhead
    }

    fn is_full(&self) -> bool {
        self.used.saturating_add(self.reserve) >= self.capacity()
    }

    /// More than there is cannot be written, whatever the recording's larger volume took.
    fn filesystem(&self) -> Filesystem {
        let capacity = self.capacity();
        let used = self.used.min(capacity);
        Filesystem {
            capacity: Bytes::new(capacity),
            available: Bytes::new((capacity - used).saturating_sub(self.reserve)),
            used: Bytes::new(used),
        }
    }

    fn volume(&self, now: Timestamp) -> Volume {
        let size = Bytes::new(self.size);
        Volume {
            claim: Claim {
                name: self.claim.clone(),
                request: size,
                capacity: size,
                device: size,
                charged: size,
                mounted: true,
                class: String::new(),
                expandable: true,
                other_controller: None,
            },
            usage: Usage::Seen(Seen {
                sample: Sample {
                    usage: self.filesystem(),
                    inodes_total: 0,
                    inodes_free: 0,
                    read_only: false,
                    sampled_at: self.sampled_at,
                },
                as_of: now,
                trend: self.window.trend(now),
                node: "the recording".into(),
                fixed_inodes: false,
                network: false,
                shared: false,
                stuck: None,
            }),
            resize: Resize::Settled,
            before_growth: None,
        }
    }
}
