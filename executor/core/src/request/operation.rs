//! What a request does: its type, with the section of the spec that belongs to it.

use std::collections::BTreeMap;

use units::{Bytes, Quantity};

/// `spec.type` of [`Operation::VolumeExpansion`].
pub const VOLUME_EXPANSION: &str = "VolumeExpansion";
/// `spec.type` of [`Operation::HorizontalScaling`].
pub const HORIZONTAL_SCALING: &str = "HorizontalScaling";
/// `spec.type` of [`Operation::VerticalScaling`].
pub const VERTICAL_SCALING: &str = "VerticalScaling";
/// `spec.type` of [`Operation::Restart`].
pub const RESTART: &str = "Restart";

/// What a request does. A section that the type needs and that is not there is `None`: a refusal says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Larger volumes.
    VolumeExpansion(Option<Expansion>),
    /// Another number of members.
    HorizontalScaling(Option<Scaling>),
    /// Other CPU and memory.
    VerticalScaling(Option<Vertical>),
    /// All members started again, one after the other.
    Restart,
    /// A type that this core does not carry out, as written.
    Other(String),
}

/// `spec.volumeExpansion`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expansion {
    /// The new size of the database's claims.
    pub postgres: Size,
    /// Whether a size for the arbiter is given.
    pub arbiter: bool,
    /// With or without stopping pods.
    pub mode: Mode,
}

/// A size as found in a spec.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Size {
    /// Not given.
    Absent,
    /// Given, and not a quantity: the text and what is wrong with it.
    Bad(String),
    /// Given.
    Of(Bytes),
}

/// With or without stopping pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The volumes grow under running pods.
    Online,
    /// The volumes grow while detached.
    Offline,
    /// Anything else, as written.
    Other(String),
}

/// `spec.horizontalScaling`. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scaling {
    /// The number of members the database shall have.
    pub replicas: Option<i32>,
    /// Whether `readReplicas` are given.
    pub read_replicas: bool,
    /// Whether standbys answer reads.
    pub standby: Option<StandbyMode>,
    /// Whether a commit waits for a standby.
    pub streaming: Option<StreamingMode>,
}

/// Whether standbys answer reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StandbyMode {
    /// They do.
    Hot,
    /// They do not.
    Warm,
    /// Anything else, as written.
    Other(String),
}

/// Whether a commit waits for a standby.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StreamingMode {
    /// It does.
    Synchronous,
    /// It does not.
    Asynchronous,
    /// Anything else, as written.
    Other(String),
}

/// `spec.verticalScaling`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vertical {
    /// `postgres.resources`, when given.
    pub postgres: Option<Resources>,
    /// Whether `readReplicas` are given.
    pub read_replicas: bool,
    /// With or without stopping pods.
    pub mode: VerticalMode,
}

/// Resources of a container, by name, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// What is reserved.
    pub requests: BTreeMap<String, String>,
    /// What is the most.
    pub limits: BTreeMap<String, String>,
}

impl Resources {
    /// Whether all of `wanted` is there, whatever else is.
    #[must_use]
    pub fn hold(&self, wanted: &Resources) -> bool {
        contains(&self.requests, &wanted.requests) && contains(&self.limits, &wanted.limits)
    }

    /// Whether this is the same, however it is written.
    #[must_use]
    pub fn same(&self, other: &Resources) -> bool {
        self.hold(other) && other.hold(self)
    }

    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }
}

fn contains(all: &BTreeMap<String, String>, some: &BTreeMap<String, String>) -> bool {
    let equal = |a: &str, b: &str| match (Quantity::parse(a), Quantity::parse(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    some.iter()
        .all(|(name, wanted)| all.get(name).is_some_and(|there| equal(there, wanted)))
}

/// With or without stopping pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VerticalMode {
    /// Each pod is made anew.
    Restart,
    /// Running pods are resized.
    InPlace,
    /// Anything else, as written.
    Other(String),
}

impl Operation {
    /// `spec.type`, as written.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Operation::VolumeExpansion(_) => VOLUME_EXPANSION,
            Operation::HorizontalScaling(_) => HORIZONTAL_SCALING,
            Operation::VerticalScaling(_) => VERTICAL_SCALING,
            Operation::Restart => RESTART,
            Operation::Other(kind) => kind,
        }
    }

    /// Whether it is an expansion with mode Online: what a full database waits for.
    #[must_use]
    pub fn is_online_expansion(&self) -> bool {
        matches!(self, Operation::VolumeExpansion(Some(expansion)) if expansion.mode == Mode::Online)
    }
}

impl StandbyMode {
    /// The word in a spec.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            StandbyMode::Hot => "Hot",
            StandbyMode::Warm => "Warm",
            StandbyMode::Other(word) => word,
        }
    }
}

impl StreamingMode {
    /// The word in a spec.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            StreamingMode::Synchronous => "Synchronous",
            StreamingMode::Asynchronous => "Asynchronous",
            StreamingMode::Other(word) => word,
        }
    }
}
