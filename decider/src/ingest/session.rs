//! One stream's state, and what a message does to the store. No I/O.

use std::{collections::HashSet, sync::Arc, time::Duration};

use decider_core::{Absurd, MAX_CLOCK_AHEAD, Sample};
use jiff::Timestamp;
use units::Reason;

use super::{
    BadMessage,
    volumes::Volumes,
    wire::{self, Changes, Hello, Message, Reading, Snapshot, Steady, Volume},
};
use crate::{
    metrics::Metrics,
    store::{Filesystem, Measurement, Mount, Registration, Store},
};

/// A stream after its Hello.
#[derive(Debug)]
pub(super) struct Session {
    registration: Registration,
    store: Arc<Store>,
    metrics: Metrics,
    volumes: Volumes,
    /// Indices named by the parts of the snapshot under way.
    snapshot: Option<HashSet<u32>>,
    /// As of when the latest snapshot was whose parts have all come.
    snapshot_as_of: Option<Timestamp>,
    /// By how much the node's clock was off, until a message shows it right.
    clock_off: Option<Duration>,
    /// Changes and heartbeats are acknowledged, too.
    acknowledge: bool,
}

impl Session {
    /// A stream whose agent has said `hello`, heard at `now`.
    pub(super) fn new(
        registration: Registration,
        store: Arc<Store>,
        metrics: Metrics,
        hello: &Hello,
        now: Timestamp,
    ) -> Self {
        let off = distance(hello.clock, now);
        let clock_off = (off > MAX_CLOCK_AHEAD).then_some(off);
        if let Some(off) = clock_off {
            tracing::warn!(
                node = &**registration.node(),
                seconds = off.as_secs(),
                "the node's clock is off"
            );
        }
        Self {
            registration,
            store,
            metrics,
            volumes: Volumes::default(),
            snapshot: None,
            snapshot_as_of: None,
            clock_off,
            acknowledge: hello.acknowledge,
        }
    }

    /// The stream's place among the others.
    pub(super) const fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Records a message; answers up to when everything is recorded if that is to be acknowledged: a whole snapshot always is.
    ///
    /// # Errors
    /// If it breaks the protocol: the stream must end.
    pub(super) fn receive(
        &mut self,
        message: Message,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, BadMessage> {
        match message {
            Message::Hello(_) => Err(BadMessage::OutOfOrder("a second Hello")),
            Message::Snapshot(snapshot) => self.snapshot(snapshot, now),
            Message::Changes(changes) => {
                let as_of = self.changes(changes, now)?;
                Ok(self.acknowledge.then_some(as_of))
            }
            Message::Heartbeat(after_ms) => {
                let snapshot = self
                    .snapshot_as_of
                    .ok_or(BadMessage::OutOfOrder("a heartbeat before a whole snapshot"))?;
                let as_of = wire::after(snapshot, after_ms)?;
                self.confirm(as_of, now);
                Ok(self.acknowledge.then_some(as_of))
            }
            Message::History(volumes) => {
                for (index, points) in volumes {
                    self.store
                        .replay(self.volumes.mount(index)?, &self.registration, points);
                }
                Ok(None)
            }
        }
    }

    /// Takes one part; with the last, what no part named is gone.
    fn snapshot(&mut self, snapshot: Snapshot, now: Timestamp) -> Result<Option<Timestamp>, BadMessage> {
        let Snapshot {
            volumes,
            as_of,
            first,
            last,
        } = snapshot;
        let mut named = match (first, self.snapshot.take()) {
            (true, _) => HashSet::new(),
            (false, Some(named)) => named,
            (false, None) => {
                return Err(BadMessage::OutOfOrder(
                    "a later part of a snapshot without its first",
                ));
            }
        };
        self.check_clock(as_of, now);
        named.extend(volumes.iter().map(|(volume, _)| volume.index));
        self.snapshot = Some(named);
        self.introduce_all(volumes, now)?;
        if !last {
            return Ok(None);
        }
        let named = self.snapshot.take().unwrap_or_default();
        let gone = self.volumes.others(&named);
        gone.into_iter().for_each(|index| self.remove(index));
        self.volumes.settle();
        let present = self.volumes.mounts().collect();
        self.store.forget_others(&self.registration, &present);
        self.snapshot_as_of = Some(as_of);
        self.confirm(as_of, now);
        Ok(Some(as_of))
    }

    fn changes(&mut self, changes: Changes, now: Timestamp) -> Result<Timestamp, BadMessage> {
        let Changes {
            as_of,
            readings,
            added,
            gone,
        } = changes;
        self.check_clock(as_of, now);
        for change in readings {
            let reading = self.volumes.complete(change)?;
            self.record(reading, now)?;
        }
        for index in gone {
            self.volumes.mount(index)?;
            self.remove(index);
        }
        if let Some(named) = &mut self.snapshot {
            named.extend(added.iter().map(|(volume, _)| volume.index));
        }
        self.introduce_all(added, now)?;
        self.confirm(as_of, now);
        Ok(as_of)
    }

    /// Gives volumes their indices and records what is said of them, with each other known before any number is: what is on one
    /// device with another is not to be taken for a filesystem of its own.
    fn introduce_all(&mut self, volumes: Vec<(Volume, Reading)>, now: Timestamp) -> Result<(), BadMessage> {
        if volumes.is_empty() {
            return Ok(());
        }
        let mut readings = Vec::with_capacity(volumes.len());
        for (volume, reading) in volumes {
            self.introduce(volume, reading.steady)?;
            readings.push(reading);
        }
        let sharing = self.volumes.sharing(self.snapshot.as_ref());
        self.store.share(&self.registration, &sharing);
        readings
            .into_iter()
            .try_for_each(|reading| self.record(reading, now))
    }

    /// Gives a volume its index, for the life of the stream.
    fn introduce(&mut self, volume: Volume, sent: Steady) -> Result<(), BadMessage> {
        let Volume {
            index,
            pv,
            pod_uid,
            device,
            fs_type,
        } = volume;
        let mount = Mount {
            pv: pv.into(),
            pod_uid: pod_uid.into(),
            node: self.registration.node().clone(),
        };
        self.volumes.check(index, &mount)?;
        let filesystem = Filesystem::of(&fs_type);
        let mount = self.store.introduce(mount, &self.registration, index, filesystem);
        self.volumes.insert(index, mount, device, sent);
        Ok(())
    }

    /// Records a reading that can be believed; counts and remembers one that cannot.
    fn record(&mut self, reading: Reading, now: Timestamp) -> Result<(), BadMessage> {
        let mount = self.volumes.mount(reading.index)?;
        let measurement = match (reading.raw(), self.clock_off) {
            (None, _) => Measurement::Unknown,
            (Some(_), Some(by)) => Measurement::Refused(Absurd::ClockOff { by }),
            (Some(raw), None) => match Sample::check(raw, now) {
                Ok(sample) => Measurement::Believed(sample),
                Err(absurd) => Measurement::Refused(absurd),
            },
        };
        if let Measurement::Refused(absurd) = &measurement {
            self.metrics.refused(absurd.reason());
        }
        self.store
            .record(mount, &self.registration, measurement, reading.stuck, now);
        Ok(())
    }

    fn remove(&mut self, index: u32) {
        if let Some(mount) = self.volumes.retire(index) {
            self.store.forget(&mount, &self.registration);
        }
    }

    /// Everything not stuck held at `as_of`; a time that has not come yet is not believed.
    fn confirm(&mut self, as_of: Timestamp, now: Timestamp) {
        self.check_clock(as_of, now);
        if self.clock_off.is_some() || as_of.duration_since(now) > signed(MAX_CLOCK_AHEAD) {
            self.metrics.refused(Reason::ClockSkew);
            return;
        }
        self.registration.confirm(as_of);
    }

    /// A clock once found off is believed again when a message is from about now.
    fn check_clock(&mut self, as_of: Timestamp, now: Timestamp) {
        if self.clock_off.is_some() && distance(as_of, now) <= MAX_CLOCK_AHEAD {
            tracing::info!(
                node = &**self.registration.node(),
                "the node's clock is right again"
            );
            self.clock_off = None;
        }
    }
}

fn distance(a: Timestamp, b: Timestamp) -> Duration {
    a.duration_since(b).unsigned_abs()
}

fn signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}
