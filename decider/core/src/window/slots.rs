//! The maxima of a window, in eight bytes each.

use units::Bytes;

/// Room for all that [`width`] leaves, see the test: 13 of a second, 9 of fifteen, 9 of a minute, 7 of ten.
const SLOTS: usize = 40;
/// Unit of `at`, in milliseconds.
const TICK: i64 = 100;
/// Unit of `used`, as a power of two: 64 KiB, so that 256 TiB can be told, four times the largest volume of any
/// provider. Over ten seconds the rounding is 6.4 KiB/s.
const SHIFT: u32 = 16;

/// One maximum.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Ticks since 1970, modulo 2^32: ages are right up to thirteen years.
    at: u32,
    used: u32,
}

impl Slot {
    /// Unix milliseconds.
    fn when(self, now: i64) -> i64 {
        now - i64::from(ticks(now).wrapping_sub(self.at)) * TICK
    }
}

/// Maxima in the order of time, oldest first. Without room to spare: most volumes do not move, and such a volume has two.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Box<[Slot]>);

/// Maxima as they are being thinned.
struct Draft {
    slots: [Slot; SLOTS],
    len: usize,
}

/// What a maximum of this age is a maximum of, in ticks; `None` if it is too old to be kept.
const fn width(age: u32) -> Option<u32> {
    match age {
        0..=120 => Some(10),
        121..=1_200 => Some(150),
        1_201..=6_000 => Some(600),
        6_001..=36_000 => Some(6_000),
        _ => None,
    }
}

impl Slots {
    /// Bytes of all that there may be.
    pub(super) const LARGEST: usize = SLOTS * size_of::<Slot>();

    /// Adds what was used at `at`, which is not before any other. `now` is what ages are counted from.
    pub(super) fn push(&mut self, at: i64, used: Bytes, now: i64) {
        let slot = Slot {
            at: ticks(at),
            used: coarse(used),
        };
        self.keep(thinned(self.iter().chain([slot]), ticks(now)).kept());
    }

    /// Puts another's maxima in between.
    pub(super) fn merge(&mut self, other: &Self, now: i64) {
        let now = ticks(now);
        let mut all: Vec<Slot> = self.iter().chain(other.iter()).collect();
        all.sort_by_key(|slot| std::cmp::Reverse(now.wrapping_sub(slot.at)));
        self.keep(thinned(all, now).kept());
    }

    /// The largest of those at or before `horizon`.
    pub(super) fn peak(&self, horizon: i64, now: i64) -> Option<Bytes> {
        let (now, least) = (ticks(now), ticks(now).wrapping_sub(ticks(horizon)));
        let old = self.iter().filter(|slot| now.wrapping_sub(slot.at) >= least);
        old.map(|slot| slot.used).max().map(fine)
    }

    /// When the oldest was, and what it is.
    pub(super) fn oldest(&self, now: i64) -> Option<(i64, Bytes)> {
        let first = self.iter().next()?;
        Some((first.when(now), fine(first.used)))
    }

    /// When the last of those at or before `horizon` was.
    pub(super) fn last_before(&self, horizon: i64, now: i64) -> Option<i64> {
        let times = self.iter().map(|slot| slot.when(now));
        times.filter(|at| *at <= horizon).max()
    }

    /// Counts from another level: what was `from` is `to`.
    pub(super) fn shift(&mut self, from: Bytes, to: Bytes) {
        let (from, to) = (coarse(from), coarse(to));
        for slot in &mut self.0 {
            slot.used = slot.used.saturating_add(to).saturating_sub(from);
        }
    }

    fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.0.iter().copied()
    }

    /// Keeps these instead, where the others were if they are as many.
    fn keep(&mut self, slots: &[Slot]) {
        if self.0.len() == slots.len() {
            self.0.copy_from_slice(slots);
        } else {
            self.0 = slots.into();
        }
    }
}

impl Draft {
    fn kept(&self) -> &[Slot] {
        self.slots.get(..self.len).unwrap_or_default()
    }

    fn last(&mut self) -> Option<&mut Slot> {
        self.slots.get_mut(self.len.checked_sub(1)?)
    }

    fn put(&mut self, slot: Slot) {
        if self.len == SLOTS {
            self.drop_one();
        }
        if let Some(free) = self.slots.get_mut(self.len) {
            *free = slot;
            self.len += 1;
        }
    }

    /// Makes one of the two oldest, should there be no room.
    fn drop_one(&mut self) {
        self.slots[1].used = self.slots[1].used.max(self.slots[0].used);
        self.slots.copy_within(1.., 0);
        self.len -= 1;
    }
}

/// Leaves out what is too old, and of neighbours that are due to be one the larger.
fn thinned(all: impl IntoIterator<Item = Slot>, now: u32) -> Draft {
    let mut draft = Draft {
        slots: [Slot::default(); SLOTS],
        len: 0,
    };
    for slot in all {
        let Some(width) = width(now.wrapping_sub(slot.at)) else {
            continue;
        };
        match draft.last() {
            Some(last) if last.at / width == slot.at / width => {
                // Of equals the later: so long the peak has lasted.
                if slot.used >= last.used {
                    *last = slot;
                }
            }
            Some(_) | None => draft.put(slot),
        }
    }
    draft
}

/// Truncated on purpose: only differences are used.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "modulo 2^32"
)]
const fn ticks(ms: i64) -> u32 {
    ms.div_euclid(TICK) as u32
}

fn coarse(bytes: Bytes) -> u32 {
    u32::try_from(bytes.get() >> SHIFT).unwrap_or(u32::MAX)
}

fn fine(used: u32) -> Bytes {
    Bytes::new(u64::from(used) << SHIFT)
}

/// As a maximum tells it.
pub(super) fn round(bytes: Bytes) -> Bytes {
    fine(coarse(bytes))
}

#[cfg(test)]
impl Slots {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    pub(super) const MOST: usize = SLOTS;
}
