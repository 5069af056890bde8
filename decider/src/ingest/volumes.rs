//! The volumes of one stream by their indices, and what was sent of each the last time.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arcstr::ArcStr;

use super::{
    BadMessage,
    wire::{Device, Reading, Steady},
};
use crate::store::Mount;

/// Volumes of one node; far above what kubelet mounts, and a bound on what one stream can make us hold.
const MOST_VOLUMES: usize = 16_384;

/// Which index is which volume.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// By index. New ones are nearly always the largest and go to the end; a map would take half as much room again.
    all: Vec<Known>,
    /// Indices that were in use once: they are never used again.
    retired: HashSet<u32>,
}

/// What an index stands for.
#[derive(Debug)]
struct Known {
    index: u32,
    device: Option<Device>,
    mount: Arc<Mount>,
    /// Believed or not: a change leaves out what is as it was here.
    sent: Steady,
}

impl Volumes {
    /// The mount that `index` stands for.
    pub(super) fn mount(&self, index: u32) -> Result<&Arc<Mount>, BadMessage> {
        let known = self.place(index).ok().and_then(|place| self.all.get(place));
        known
            .map(|known| &known.mount)
            .ok_or_else(|| BadMessage::unnamed(index))
    }

    /// A change with all numbers, which the next one may leave out.
    pub(super) fn complete(&mut self, change: Reading<Option<u64>>) -> Result<Reading, BadMessage> {
        let known = self.known(change.index);
        let known = known.ok_or_else(|| BadMessage::unnamed(change.index))?;
        known.sent = change.steady.or(known.sent);
        Ok(change.with(known.sent))
    }

    /// Whether `index` may stand for `mount`.
    pub(super) fn check(&self, index: u32, mount: &Mount) -> Result<(), BadMessage> {
        let wrong = |what| Err(BadMessage::Index { index, what });
        if self.retired.contains(&index) {
            return wrong("used again after its volume was gone");
        }
        match self.mount(index) {
            Ok(known) if **known != *mount => wrong("names two volumes"),
            Err(_) if self.all.len() >= MOST_VOLUMES => {
                Err(BadMessage::TooManyVolumes { most: MOST_VOLUMES })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Has `index` stand for `mount` on `device`, of which `sent` was sent.
    pub(super) fn insert(&mut self, index: u32, mount: Arc<Mount>, device: Option<Device>, sent: Steady) {
        let new = Known {
            index,
            device,
            mount,
            sent,
        };
        match self.known(index) {
            Some(known) => *known = new,
            None => {
                let place = self.all.partition_point(|known| known.index < index);
                self.all.insert(place, new);
            }
        }
    }

    /// The PersistentVolumes that are on one device with another, each with such a one; of those only whose indices are among
    /// `named` if not all are known to be there. Several pods of one volume share nothing.
    pub(super) fn sharing(&self, named: Option<&HashSet<u32>>) -> Vec<(ArcStr, ArcStr)> {
        let present = |known: &&Known| named.is_none_or(|named| named.contains(&known.index));
        let mut first: HashMap<Device, &ArcStr> = HashMap::with_capacity(self.all.len());
        let mut sharing = Vec::new();
        for known in self.all.iter().filter(present) {
            let (Some(device), pv) = (known.device, &known.mount.pv) else {
                continue;
            };
            let other = *first.entry(device).or_insert(pv);
            if other != pv {
                sharing.extend([(pv.clone(), other.clone()), (other.clone(), pv.clone())]);
            }
        }
        sharing
    }

    /// Takes an index away for ever. Answers its mount unless another index stands for that, too: a volume whose device
    /// changed has a new index at its old place.
    pub(super) fn retire(&mut self, index: u32) -> Option<Arc<Mount>> {
        let place = self.place(index).ok()?;
        let Known { mount, .. } = self.all.remove(place);
        self.retired.insert(index);
        let is_gone = self.mounts().all(|other| *other != mount);
        is_gone.then_some(mount)
    }

    /// The indices but those in `named`.
    pub(super) fn others(&self, named: &HashSet<u32>) -> Vec<u32> {
        let indices = self.all.iter().map(|known| known.index);
        indices.filter(|index| !named.contains(index)).collect()
    }

    /// All mounts.
    pub(super) fn mounts(&self) -> impl Iterator<Item = &Arc<Mount>> {
        self.all.iter().map(|known| &known.mount)
    }

    /// Gives spare room back: there will hardly be more of them soon.
    pub(super) fn settle(&mut self) {
        self.all.shrink_to_fit();
    }

    fn known(&mut self, index: u32) -> Option<&mut Known> {
        let place = self.place(index).ok()?;
        self.all.get_mut(place)
    }

    fn place(&self, index: u32) -> Result<usize, usize> {
        // As long as no volume has gone an index is its own place.
        let own = usize::try_from(index).unwrap_or(usize::MAX);
        if self.all.get(own).is_some_and(|known| known.index == index) {
            return Ok(own);
        }
        self.all.binary_search_by_key(&index, |known| known.index)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeSet, HashSet},
        sync::Arc,
    };

    use super::Volumes;
    use crate::{
        ingest::wire::{Device, Steady},
        store::Mount,
    };

    const SENT: Steady = Steady {
        capacity: 1,
        inodes_total: 0,
        inodes_free: 0,
    };

    fn mount(pv: &str) -> Arc<Mount> {
        Arc::new(Mount {
            pv: pv.into(),
            pod_uid: "pod".into(),
            node: "node".into(),
        })
    }

    #[test]
    fn indices_come_and_go_in_any_order() {
        let mut volumes = Volumes::default();
        for (index, pv) in [(5, "e"), (0, "a"), (7, "e"), (3, "c"), (0, "a")] {
            assert_eq!(volumes.check(index, &mount(pv)), Ok(()));
            volumes.insert(index, mount(pv), None, SENT);
        }
        assert!(volumes.check(3, &mount("a")).is_err(), "names two volumes");
        assert_eq!(volumes.mount(3), Ok(&mount("c")));
        assert!(volumes.mount(4).is_err());
        assert_eq!(volumes.others(&HashSet::from([0])), [3, 5, 7]);
        assert_eq!(volumes.retire(5), None, "7 stands for it, too");
        assert_eq!(volumes.retire(7), Some(mount("e")));
        assert_eq!(volumes.retire(7), None);
        assert!(volumes.check(7, &mount("e")).is_err(), "used again");
        assert_eq!(volumes.mounts().count(), 2);
    }

    /// Which volumes share a device, when these are there by index, name and device.
    fn sharing(all: &[(u32, &str, &str)], named: Option<&[u32]>) -> BTreeSet<(String, String)> {
        let mut volumes = Volumes::default();
        for (index, pv, device) in all {
            volumes.insert(*index, mount(pv), Device::read(device), SENT);
        }
        let named = named.map(|named| named.iter().copied().collect());
        let sharing = volumes.sharing(named.as_ref()).into_iter();
        sharing
            .map(|(pv, with)| (pv.to_string(), with.to_string()))
            .collect()
    }

    #[test]
    fn two_volumes_on_one_device_share_it() {
        let pairs = |pairs: &[(&str, &str)]| -> BTreeSet<(String, String)> {
            let owned = pairs.iter().map(|(pv, with)| ((*pv).into(), (*with).into()));
            owned.collect()
        };
        let two_disks = [(0, "a", "8:0"), (1, "b", "8:1"), (2, "c", "8:0"), (3, "d", "8:2")];
        assert_eq!(sharing(&two_disks, None), pairs(&[("a", "c"), ("c", "a")]));
        let three = [(0, "a", "8:0"), (1, "b", "8:0"), (2, "c", "8:0")];
        let each: BTreeSet<_> = sharing(&three, None).into_iter().map(|(pv, _)| pv).collect();
        assert!(each.into_iter().eq(["a", "b", "c"]), "each with another");
    }

    #[test]
    fn what_is_one_volume_or_no_device_or_perhaps_gone_shares_nothing() {
        let none = BTreeSet::new();
        let two_pods = [(0, "a", "8:0"), (1, "a", "8:0"), (2, "b", "8:1")];
        assert_eq!(sharing(&two_pods, None), none);
        let unknown = [(0, "a", ""), (1, "b", ""), (2, "c", "0:0"), (3, "d", "0:0")];
        assert_eq!(sharing(&unknown, None), none);
        let took_its_number = [(0, "gone", "8:0"), (1, "new", "8:0")];
        assert_eq!(sharing(&took_its_number, Some(&[1])), none);
        assert_eq!(sharing(&took_its_number, Some(&[0, 1])).len(), 2);
    }
}
