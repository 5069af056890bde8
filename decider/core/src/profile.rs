//! What a class of storage can do.

use std::time::Duration;

use units::{Bytes, EXPECTED_EXPANSION};

use crate::budget::Modifications;

/// How a driver grows volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// While in use.
    Online,
    /// Only while mounted nowhere.
    Offline,
    /// Not at all.
    Unsupported,
}

/// What holds for all claims of one database: where they differ, the stricter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where it comes from, for messages.
    pub name: String,
    /// How a volume grows.
    pub expansion: Expansion,
    /// Sizes are multiples of this, above zero.
    pub granularity: Bytes,
    /// The largest volume.
    pub maximum_size: Option<Bytes>,
    /// How often a volume may be modified; `None` is as often as wanted.
    pub modifications: Option<Modifications>,
    /// From a request to the space being there: learned, or as expected until one was seen.
    pub duration: Duration,
    /// The filesystem holds other volumes too, so that its size is no claim's; none if nobody says, so that what agents see
    /// decides.
    pub shared_filesystem: Option<bool>,
}

impl Default for Profile {
    /// A driver nothing is known of: it grows volumes as its class says, and rounds up by itself. One MiB keeps
    /// the numbers readable without asking for more than the rules give.
    fn default() -> Self {
        Self {
            name: "default".into(),
            expansion: Expansion::Online,
            granularity: Bytes::MIB,
            maximum_size: None,
            modifications: None,
            duration: EXPECTED_EXPANSION,
            shared_filesystem: None,
        }
    }
}

impl Profile {
    /// The stricter of two, for a database whose claims have different classes.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        let expansion = match (self.expansion, other.expansion) {
            (Expansion::Unsupported, _) | (_, Expansion::Unsupported) => Expansion::Unsupported,
            (Expansion::Offline, _) | (_, Expansion::Offline) => Expansion::Offline,
            (Expansion::Online, Expansion::Online) => Expansion::Online,
        };
        Self {
            name: format!("{}, {}", self.name, other.name),
            expansion,
            granularity: self.granularity.max(other.granularity),
            maximum_size: match (self.maximum_size, other.maximum_size) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            modifications: match (self.modifications, other.modifications) {
                (Some(a), Some(b)) => Some(a.stricter(b)),
                (a, b) => a.or(b),
            },
            duration: self.duration.max(other.duration),
            shared_filesystem: match (self.shared_filesystem, other.shared_filesystem) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                (Some(false), Some(false)) => Some(false),
            },
        }
    }
}
