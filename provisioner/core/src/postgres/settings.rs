//! What PostgreSQL is told about WAL and memory where the user said nothing: a part of the volume, a part of the memory.
//!
//! The figures for small volumes are measured (a fresh member of 300 MiB, another of 1 GiB); above that they grow with the
//! volume up to where more brings nothing.

use std::collections::BTreeMap;

use units::Bytes;

/// Settings by name, as PostgreSQL reads them.
pub type Parameters = BTreeMap<String, String>;

/// Part of the volume that a slot may keep, in percent. Unbounded, one standby that is away fills the primary's volume.
const SLOT_PERCENT: u64 = 30;
/// Patroni takes a smaller `wal_keep_size` for a mistake and writes 128 MB instead (patroni/postgresql/config.py,
/// `CMDLINE_OPTIONS`).
const LEAST_KEPT: Bytes = Bytes::new(16 << 20);

/// What a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Its volume; zero when unknown, which gives the smallest settings.
    pub volume: Bytes,
    /// Its memory limit.
    pub memory: Option<Bytes>,
}

/// What the spec says about WAL for standbys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// `wal_keep_size`, never more than what a slot may keep by default.
    pub wal: Option<Bytes>,
    /// `max_slot_wal_keep_size`.
    pub slot: Option<Bytes>,
}

/// The settings that follow from what a member has.
#[must_use]
pub fn derived(room: Room, keep: Keep) -> Parameters {
    let Room { volume, memory } = room;
    let bound = part(volume, SLOT_PERCENT).max(mib(32));
    let wal = Wal::of(volume);
    let mut all = Parameters::new();
    let mut set = |name: &str, value: Bytes| all.insert(name.to_owned(), text(value));
    set("min_wal_size", wal.min);
    set("max_wal_size", wal.max);
    set(
        "wal_keep_size",
        keep.wal.unwrap_or(wal.keep).min(bound).max(LEAST_KEPT),
    );
    set("max_slot_wal_keep_size", keep.slot.unwrap_or(bound));
    set("shared_buffers", shared_buffers(room));
    if let Some(memory) = memory {
        set("effective_cache_size", part(memory, 75).max(mib(32)));
    }
    all.insert("dynamic_shared_memory_type".to_owned(), "posix".to_owned());
    all
}

/// The user's settings over ours; what would take the bound off the slots is left out.
#[must_use]
pub fn effective(derived: Parameters, user: &Parameters) -> Parameters {
    let mut all = derived;
    for (name, value) in user {
        let unbounded = name == "max_slot_wal_keep_size" && value.trim().starts_with('-');
        if !unbounded {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}

/// Size of a WAL segment in MB, chosen once, when the first member is made.
#[must_use]
pub fn segment_mb(volume: Bytes) -> u32 {
    if is_small(volume) { 1 } else { 16 }
}

/// Below 1 GiB, 16 MB segments would take most of the volume.
fn is_small(volume: Bytes) -> bool {
    volume < Bytes::GIB
}

struct Wal {
    min: Bytes,
    max: Bytes,
    keep: Bytes,
}

impl Wal {
    fn of(volume: Bytes) -> Wal {
        if is_small(volume) {
            return Wal {
                min: mib(4),
                max: mib(16),
                keep: LEAST_KEPT,
            };
        }
        let share = |parts: u64, most: Bytes| whole(volume.get() / parts).clamp(mib(32), most);
        Wal {
            min: share(32, mib(1024)),
            max: share(16, mib(16 * 1024)).max(mib(64)),
            keep: share(32, mib(1536)),
        }
    }
}

/// A quarter of the memory, and no more than the data could use.
fn shared_buffers(room: Room) -> Bytes {
    let memory = room.memory.map_or_else(|| mib(128), |memory| part(memory, 25));
    let of_volume = whole(room.volume.get() / 32);
    memory.min(of_volume.max(mib(16))).max(mib(16))
}

fn part(of: Bytes, percent: u64) -> Bytes {
    whole(of.checked_mul_ratio(percent, 100).unwrap_or(of).get())
}

fn mib(n: u64) -> Bytes {
    Bytes::new(n << 20)
}

/// Whole MiB, rounded down.
fn whole(bytes: u64) -> Bytes {
    Bytes::new(bytes >> 20 << 20)
}

/// PostgreSQL's `MB` is 2^20 bytes.
fn text(size: Bytes) -> String {
    format!("{}MB", size.get() >> 20)
}
