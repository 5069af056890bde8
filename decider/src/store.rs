//! What agents say of volumes, by PersistentVolume. Bounded by what nodes mount; forgotten with them.
//!
//! A volume mounted on several nodes has an entry for each; of those whose pod is known to mount it the freshest one is
//! its usage. Nothing here knows pods, claims or databases: who asks says which mounts count.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arcstr::ArcStr;
use control::watch::Words;
use decider_core::{Absurd, Point, Sample};
use jiff::Timestamp;

use crate::Uid;

mod asked;
mod calm;
mod entry;
mod moved;
mod node;
mod shared;
mod stream;

use entry::Entry;
pub(crate) use entry::Filesystem;
pub use moved::Moved;
use node::Node;
pub use stream::{End, News, Registration, Stream};

/// Where a volume is mounted. There are as many as volumes, so each is kept once, and shares its words where it can.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mount {
    /// The PersistentVolume.
    pub pv: ArcStr,
    /// The pod that mounts it.
    pub pod_uid: Uid,
    /// The node it runs on.
    pub node: ArcStr,
}

/// What a reading turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measurement {
    /// Numbers that do not contradict themselves.
    Believed(Sample),
    /// Numbers that do.
    Refused(Absurd),
    /// No measurement has completed yet.
    Unknown,
}

/// All volumes that agents speak of, and their streams.
#[derive(Debug, Default)]
pub struct Store {
    inner: Mutex<Inner>,
    moved: Moved,
    words: Words,
}

#[derive(Debug, Default)]
struct Inner {
    /// Without spare room: one mount is the rule.
    volumes: HashMap<ArcStr, Box<[Entry]>>,
    by_node: HashMap<ArcStr, Node>,
    streams: u64,
}

impl Store {
    /// Bytes of what is kept of one mount, beside its names and the past of its window.
    pub const STATE: usize = size_of::<Entry>();

    /// An empty store, whose volumes have these words for their names.
    #[must_use]
    pub fn sharing(words: Words) -> Self {
        Self {
            words,
            ..Self::default()
        }
    }

    /// Opens a stream of `node`; an older one of the same node is told to end.
    pub fn register(&self, node: String) -> Registration {
        let node: ArcStr = node.into();
        let mut inner = self.inner();
        inner.streams += 1;
        let stream = Arc::new(Stream::new(node.clone(), inner.streams));
        match inner.by_node.get_mut(&node) {
            Some(known) => known.follow(Arc::clone(&stream)),
            None => {
                inner.by_node.insert(node, Node::new(Arc::clone(&stream)));
            }
        }
        drop(inner);
        Registration::new(stream)
    }

    /// Volumes of which somebody is to be told: those that show something else, and those not at rest that moved.
    pub const fn moved(&self) -> &Moved {
        &self.moved
    }

    /// Streams that are open.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.inner()
            .by_node
            .values()
            .filter(|n| !n.newest.has_ended())
            .count()
    }

    /// Volumes known.
    #[must_use]
    pub fn volumes(&self) -> usize {
        self.inner().volumes.len()
    }

    /// A mount is there, under this index; answers the one to speak of from now on.
    pub(crate) fn introduce(
        &self,
        mount: Mount,
        by: &Registration,
        index: u32,
        filesystem: Filesystem,
    ) -> Arc<Mount> {
        let pv = self.words.share(&mount.pv);
        let mount = Mount { pv, ..mount };
        let mut inner = self.inner();
        let inner = &mut *inner;
        let Some(node) = inner.by_node.get_mut(&mount.node) else {
            return Arc::new(mount);
        };
        let known = node.mounts.get(&mount).cloned();
        let mount = known.unwrap_or_else(|| Arc::new(mount));
        node.mounts.insert(Arc::clone(&mount));
        let entries = inner.volumes.entry(mount.pv.clone()).or_default();
        match entries.iter_mut().find(|e| e.mount == mount) {
            Some(entry) if entry.stream.id() > by.stream().id() => return mount,
            Some(entry)
                if entry.stream.id() == by.stream().id()
                    && entry.index == index
                    && entry.filesystem == filesystem =>
            {
                return mount;
            }
            Some(entry) => {
                entry.follow(Arc::clone(by.stream()), index);
                entry.filesystem = filesystem;
            }
            None => {
                let new = Entry::new(Arc::clone(&mount), Arc::clone(by.stream()), index, filesystem);
                *entries = std::mem::take(entries).into_iter().chain([new]).collect();
            }
        }
        self.moved.mark(&mount.pv);
        mount
    }

    /// A reading of a mount that was introduced.
    pub(crate) fn record(
        &self,
        mount: &Arc<Mount>,
        by: &Registration,
        measurement: Measurement,
        stuck: Option<u32>,
        now: Timestamp,
    ) {
        let mut inner = self.inner();
        let Some(entry) = inner.own_entry(mount, by) else {
            return;
        };
        let shown = entry.shown_calm();
        let changed = entry.take(measurement, stuck, now) && !entry.stays_calm(shown);
        entry.calm &= !changed;
        drop(inner);
        if changed {
            self.moved.mark(&mount.pv);
        }
    }

    /// The past of a mount that was introduced.
    pub(crate) fn replay(&self, mount: &Arc<Mount>, by: &Registration, points: Vec<Point>) {
        if let Some(entry) = self.inner().own_entry(mount, by) {
            entry.window.replay(points);
        }
    }

    /// A mount is gone.
    pub(crate) fn forget(&self, mount: &Arc<Mount>, by: &Registration) {
        self.inner().remove(mount, by.stream().id());
        self.moved.mark(&mount.pv);
    }

    /// Older streams' mounts on this node that the new one does not have are gone.
    pub(crate) fn forget_others(&self, by: &Registration, present: &HashSet<&Arc<Mount>>) {
        let mut inner = self.inner();
        let Some(node) = inner.by_node.get(by.node()) else {
            return;
        };
        let others = node.mounts.iter().filter(|mount| !present.contains(mount));
        let gone: Vec<Arc<Mount>> = others.cloned().collect();
        gone.iter()
            .for_each(|mount| inner.remove(mount, by.stream().id()));
        drop(inner);
        gone.iter().for_each(|mount| self.moved.mark(&mount.pv));
    }

    /// Has agents tell at once when `used` of this volume reaches `level`.
    pub fn set_level(&self, pv: &str, level: u64) {
        let mut inner = self.inner();
        inner
            .volumes
            .get_mut(pv)
            .into_iter()
            .flatten()
            .for_each(|entry| entry.set_level(level));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The entry of a mount, unless a newer stream has taken it.
    fn own_entry(&mut self, mount: &Arc<Mount>, by: &Registration) -> Option<&mut Entry> {
        let entries = self.volumes.get_mut(&mount.pv)?;
        entries
            .iter_mut()
            .find(|e| e.mount == *mount && e.stream.id() == by.stream().id())
    }

    /// Removes the entry of a mount unless a stream newer than `stream` has it.
    fn remove(&mut self, mount: &Arc<Mount>, stream: u64) {
        let Some(entries) = self.volumes.get_mut(&mount.pv) else {
            return;
        };
        let stays = |e: &Entry| e.mount != *mount || e.stream.id() > stream;
        if !entries.iter().all(stays) {
            *entries = std::mem::take(entries).into_iter().filter(stays).collect();
        }
        let kept = entries.iter().any(|e| e.mount == *mount);
        if entries.is_empty() {
            self.volumes.remove(&mount.pv);
        }
        if let Some(node) = self.by_node.get_mut(&mount.node).filter(|_| !kept) {
            node.mounts.remove(mount);
        }
    }
}

#[cfg(test)]
mod tests;
