//! One volume as one mount of it shows.

use std::{num::NonZero, sync::Arc};

use decider_core::{Absurd, Point, Sample, Seen, Usage, Window};
use jiff::Timestamp;
use units::Reason;

use super::{Measurement, Mount, Stream};

/// A level that differs by less than this part of itself is not worth a message: it is what an agent's own
/// step is, a thousandth of the capacity.
const LEVEL_TOLERANCE: u64 = 1_000;

/// One volume as one mount of it shows.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mount: Arc<Mount>,
    pub(super) stream: Arc<Stream>,
    pub(super) index: u32,
    pub(super) filesystem: Filesystem,
    /// Another volume was seen on the same device.
    pub(super) shared: bool,
    pub(super) window: Window,
    pub(super) latest: Option<Sample>,
    /// Rare, so that it is not to take room in every entry.
    pub(super) refused: Option<Box<(Absurd, Timestamp)>>,
    pub(super) stuck: Option<u32>,
    pub(super) level: Option<NonZero<u64>>,
    /// When the first reading of it came.
    pub(super) heard: Option<Timestamp>,
    /// Its movements are marked only if it shows something else.
    pub(super) calm: bool,
}

impl Entry {
    /// A mount of which nothing was measured yet.
    pub(super) fn new(mount: Arc<Mount>, stream: Arc<Stream>, index: u32, filesystem: Filesystem) -> Self {
        Self {
            mount,
            stream,
            index,
            filesystem,
            shared: false,
            window: Window::default(),
            latest: None,
            refused: None,
            stuck: None,
            level: None,
            heard: None,
            calm: false,
        }
    }

    /// Has the agent told of a level, unless it knows one that is as good: capacities of some filesystems
    /// waver by a few blocks.
    pub(super) fn set_level(&mut self, level: u64) {
        if self
            .level
            .is_none_or(|known| known.get().abs_diff(level) > level / LEVEL_TOLERANCE)
        {
            self.level = NonZero::new(level);
            self.stream.ask(self.index, level);
        }
    }

    /// Takes a reading; true if a decision could come out differently for it.
    pub(super) fn take(&mut self, measurement: Measurement, stuck: Option<u32>, now: Timestamp) -> bool {
        self.heard.get_or_insert(now);
        let held = self.as_of();
        let was_stuck = std::mem::replace(&mut self.stuck, stuck);
        let changed = match measurement {
            Measurement::Unknown => false,
            Measurement::Refused(absurd) => {
                let before = self.refused.replace(Box::new((absurd, now)));
                before.is_none_or(|before| before.0.reason() != absurd.reason())
            }
            Measurement::Believed(sample)
                if self.latest.is_some_and(|l| l.sampled_at > sample.sampled_at) =>
            {
                false
            }
            Measurement::Believed(sample) => {
                let point = Point {
                    at: sample.sampled_at,
                    used: sample.usage.used,
                    capacity: sample.usage.capacity,
                };
                if let Some(held) = held {
                    self.window.hold(held);
                }
                self.window.push(point);
                let refused = self.refused.take().is_some();
                let before = self.latest.replace(sample);
                refused
                    || before.is_none_or(|b| {
                        Sample {
                            sampled_at: sample.sampled_at,
                            ..b
                        } != sample
                    })
            }
        };
        changed || was_stuck != stuck
    }

    /// Until when the numbers are known to have held.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        let measured = self.latest?.sampled_at;
        match self.stream.as_of().filter(|_| self.stuck.is_none()) {
            Some(confirmed) => Some(measured.max(confirmed)),
            None => Some(measured),
        }
    }

    /// Another stream speaks of it from now on; what the one before vouched for stays true.
    pub(super) fn follow(&mut self, stream: Arc<Stream>, index: u32) {
        if let Some(held) = self.as_of() {
            self.window.hold(held);
        }
        (self.stream, self.index, self.level) = (stream, index, None);
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        let as_of = self.as_of()?;
        Some(Seen {
            sample: self.latest?,
            as_of,
            trend: self.window.trend(as_of),
            node: self.mount.node.to_string(),
            fixed_inodes: self.filesystem == Filesystem::Ext,
            network: self.filesystem == Filesystem::Network,
            shared: self.shared,
            stuck: self.stuck,
        })
    }

    /// What is told instead of a measurement for a pod that is not known to mount the volume.
    pub(super) fn unknown_pod(&self) -> Usage {
        let Mount { pod_uid, node, .. } = &*self.mount;
        let text = format!(
            "the measurement of {node} does not count: no pod there with uid {pod_uid} mounts the claim"
        );
        Usage::Refused {
            reason: Reason::UnknownPod,
            text,
        }
    }

    pub(super) fn refusal(&self, absurd: Absurd) -> Usage {
        let text = format!("the measurement of {} is not believed: {absurd}", self.mount.node);
        Usage::Refused {
            reason: absurd.reason(),
            text,
        }
    }
}

/// What a type of filesystem means to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filesystem {
    /// Its number of inodes was fixed when it was made.
    Ext,
    /// Another machine's, whose size is that of everything exported there. CephFS is not among them: its subvolumes show
    /// their quota.
    Network,
    /// Any other.
    Other,
}

impl Filesystem {
    /// Of the type that mountinfo prints.
    pub(crate) fn of(fs_type: &str) -> Self {
        match fs_type {
            "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "fuse.glusterfs" => Self::Network,
            _ if fs_type.starts_with("ext") => Self::Ext,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_filesystems_are_what_they_mean() {
        use Filesystem::{Ext, Network, Other};
        let types = [
            ("nfs", Network),
            ("nfs4", Network),
            ("cifs", Network),
            ("smb3", Network),
            ("9p", Network),
            ("fuse.glusterfs", Network),
            ("ceph", Other),
            ("xfs", Other),
            ("btrfs", Other),
            ("zfs", Other),
            ("fuse.juicefs", Other),
            ("", Other),
            ("ext2", Ext),
            ("ext4", Ext),
        ];
        for (fs_type, means) in types {
            assert_eq!(Filesystem::of(fs_type), means, "{fs_type:?}");
        }
    }

    #[test]
    fn window_and_state_of_a_volume_are_bounded() {
        let full = size_of::<Entry>() - size_of::<Window>() + Window::LARGEST;
        assert!(full <= 512, "{full} bytes");
    }
}
