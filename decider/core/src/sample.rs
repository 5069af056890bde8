//! One believed measurement of one filesystem, and the refusal of those that cannot be believed.

use std::time::Duration;

use jiff::Timestamp;
use units::{Bytes, Percent, Reason, Usage};

/// How far a measurement may lie in the decider's future: clock error between two machines kept by NTP is
/// milliseconds, and half the staleness limit is the most that cannot pass an old value for a new one.
pub const MAX_CLOCK_AHEAD: Duration = Duration::from_secs(5);

/// The largest size Kubernetes itself can express; anything above is garbage.
const LARGEST: u64 = i64::MAX as u64;

/// What an agent sent, not yet believed. Sizes in bytes, computed as kubelet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw {
    /// Blocks of the filesystem.
    pub capacity: u64,
    /// What an unprivileged process may still write.
    pub available: u64,
    /// Blocks not free.
    pub used: u64,
    /// 0 where the filesystem has no fixed number.
    pub inodes_total: u64,
    /// Free inodes.
    pub inodes_free: u64,
    /// The mount is read-only, or the kernel made it so after an error.
    pub read_only: bool,
    /// Start of the measurement by the node's clock.
    pub sampled_at: Timestamp,
}

/// A measurement that does not contradict itself: `0 < capacity`, `used <= capacity`, `available <= capacity`,
/// free inodes within their total, taken no later than now (give or take [`MAX_CLOCK_AHEAD`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Size, what is taken and what is left; the size is above zero.
    pub usage: Usage,
    /// 0 where the filesystem has no fixed number.
    pub inodes_total: u64,
    /// Free inodes.
    pub inodes_free: u64,
    /// The mount is read-only.
    pub read_only: bool,
    /// Start of the measurement by the node's clock.
    pub sampled_at: Timestamp,
}

/// Why a measurement is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Absurd {
    /// A FUSE mount without allow_other answers zero blocks to others: unknown, never 0 % nor 100 %.
    #[error("capacity is 0")]
    NoCapacity,
    /// No filesystem is that large.
    #[error("{value} bytes is more than any filesystem holds")]
    TooLarge {
        /// What was sent.
        value: u64,
    },
    /// More used than there is.
    #[error("used {used} is above capacity {capacity}")]
    UsedAboveCapacity {
        /// Bytes.
        used: u64,
        /// Bytes.
        capacity: u64,
    },
    /// More available than there is.
    #[error("available {available} is above capacity {capacity}")]
    AvailableAboveCapacity {
        /// Bytes.
        available: u64,
        /// Bytes.
        capacity: u64,
    },
    /// More free inodes than inodes.
    #[error("{free} free inodes of {total}")]
    InodesAboveTotal {
        /// Free inodes.
        free: u64,
        /// Inodes.
        total: u64,
    },
    /// Measured in the future.
    #[error("measured {} s in the future", ahead.as_secs())]
    FromTheFuture {
        /// Beyond the decider's clock.
        ahead: Duration,
    },
    /// The node's clock is behind, so that its fresh values look old and its old ones older.
    #[error("the node's clock is {} s off", by.as_secs())]
    ClockOff {
        /// Distance, either way.
        by: Duration,
    },
}

impl Absurd {
    /// The word for metric and condition.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::FromTheFuture { .. } | Self::ClockOff { .. } => Reason::ClockSkew,
            Self::NoCapacity
            | Self::TooLarge { .. }
            | Self::UsedAboveCapacity { .. }
            | Self::AvailableAboveCapacity { .. }
            | Self::InodesAboveTotal { .. } => Reason::AbsurdSample,
        }
    }
}

impl Sample {
    /// Believes `raw`, received at `now`, or says why not.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn check(raw: Raw, now: Timestamp) -> Result<Self, Absurd> {
        let Raw {
            capacity,
            available,
            used,
            inodes_total,
            inodes_free,
            read_only,
            sampled_at,
        } = raw;
        if capacity == 0 {
            return Err(Absurd::NoCapacity);
        }
        if capacity > LARGEST {
            return Err(Absurd::TooLarge { value: capacity });
        }
        if used > capacity {
            return Err(Absurd::UsedAboveCapacity { used, capacity });
        }
        if available > capacity {
            return Err(Absurd::AvailableAboveCapacity { available, capacity });
        }
        if inodes_free > inodes_total {
            return Err(Absurd::InodesAboveTotal {
                free: inodes_free,
                total: inodes_total,
            });
        }
        let ahead = elapsed(now, sampled_at);
        if ahead > MAX_CLOCK_AHEAD {
            return Err(Absurd::FromTheFuture { ahead });
        }
        Ok(Self {
            usage: Usage {
                capacity: Bytes::new(capacity),
                available: Bytes::new(available),
                used: Bytes::new(used),
            },
            inodes_total,
            inodes_free,
            read_only,
            sampled_at,
        })
    }

    /// What an unprivileged process can use of this filesystem: used and available together, which an ext4
    /// reserve makes less than the capacity. Above zero, never above the capacity, so that `used / usable` is
    /// the larger of `used / capacity` and `used / (used + available)`.
    #[must_use]
    pub fn usable(&self) -> Bytes {
        let Usage {
            capacity,
            available,
            used,
        } = self.usage;
        let both = used.get().saturating_add(available.get());
        if both == 0 {
            capacity
        } else {
            Bytes::new(both.min(capacity.get()))
        }
    }

    /// Inodes in use.
    #[must_use]
    pub fn inodes_used(&self) -> u64 {
        self.inodes_total.saturating_sub(self.inodes_free)
    }

    /// Used inodes in whole percent, rounded down; `None` where there is no fixed number.
    #[must_use]
    pub fn inodes_percent(&self) -> Option<Percent> {
        let percent = (u128::from(self.inodes_used()) * 100).checked_div(u128::from(self.inodes_total))?;
        Percent::new(i64::try_from(percent).ok()?).ok()
    }
}

/// Time from `from` to `to`; zero if `to` is earlier.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
