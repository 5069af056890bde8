//! What the store answers of one volume to somebody who knows which mounts are what they say.

use std::time::Duration;

use decider_core::{Usage, Window};
use jiff::Timestamp;

use super::{Entry, Mount, Store};

impl Store {
    /// What is known of the filesystem of a PersistentVolume from the mounts that are `known` to be what they say. A
    /// refusal is told once nothing believed is fresh.
    #[must_use]
    pub fn usage(
        &self,
        pv: &str,
        now: Timestamp,
        stale_after: Duration,
        known: impl Fn(&Mount) -> bool,
    ) -> Usage {
        let inner = self.inner();
        let entries = inner.volumes.get(pv).into_iter().flatten();
        let (ours, strangers): (Vec<&Entry>, Vec<&Entry>) = entries.partition(|e| known(&e.mount));
        let freshest = ours.iter().filter_map(|e| e.seen()).max_by_key(|seen| seen.as_of);
        let absurd = ours.iter().filter_map(|e| {
            let (absurd, at) = **e.refused.as_ref()?;
            Some((at, e.refusal(absurd)))
        });
        let unknown = strangers.iter().filter_map(|e| {
            let seen = e.seen().filter(|seen| !seen.is_stale(now, stale_after))?;
            Some((seen.as_of, e.unknown_pod()))
        });
        let refused = absurd.chain(unknown).max_by_key(|(at, _)| *at);
        match (freshest, refused) {
            (Some(seen), Some((at, refusal))) if seen.is_stale(now, stale_after) && at > seen.as_of => {
                refusal
            }
            (Some(seen), _) => Usage::Seen(seen),
            (None, Some((_, refusal))) => refusal,
            (None, None) => Usage::Never,
        }
    }

    /// When the latest of the mounts of a PersistentVolume that are measured now and not `known` was first heard of.
    #[must_use]
    pub fn stranger(
        &self,
        pv: &str,
        now: Timestamp,
        stale_after: Duration,
        known: impl Fn(&Mount) -> bool,
    ) -> Option<Timestamp> {
        let inner = self.inner();
        let strangers = inner.volumes.get(pv)?.iter().filter(|e| !known(&e.mount));
        strangers
            .filter(|e| e.seen().is_some_and(|seen| !seen.is_stale(now, stale_after)))
            .filter_map(|e| e.heard)
            .max()
    }

    /// The recent past of the freshest of a PersistentVolume's mounts that are `known`.
    #[must_use]
    pub fn window(&self, pv: &str, known: impl Fn(&Mount) -> bool) -> Option<Window> {
        let inner = self.inner();
        let entries = inner.volumes.get(pv)?.iter().filter(|e| known(&e.mount));
        let freshest = entries.filter(|e| e.latest.is_some()).max_by_key(|e| e.as_of());
        freshest.map(|e| e.window.clone())
    }
}
