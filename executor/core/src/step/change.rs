//! What a step changes, where that is more than one value.

use units::Reason;

use crate::request::{Condition, MemberRecord, Phase, Record, StandbyMode, StreamingMode, VolumeRecord};

/// A change of a request's status; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Update {
    /// The phase.
    pub phase: Option<Phase>,
    /// Conditions to set, by type.
    pub conditions: Vec<Condition>,
    /// All volumes.
    pub volumes: Option<Vec<VolumeRecord>>,
    /// All members.
    pub members: Option<Vec<MemberRecord>>,
    /// How often it was begun.
    pub attempts: Option<u32>,
    /// The present run starts now.
    pub starts: bool,
}

/// A change of a Postgres spec; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SpecChange {
    /// `spec.replicas`.
    pub replicas: Option<u32>,
    /// `spec.standbyMode`.
    pub standby: Option<StandbyMode>,
    /// `spec.streamingMode`.
    pub streaming: Option<StreamingMode>,
}

/// A change of Patroni's dynamic settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigChange {
    /// `member_slots_ttl: 0`: a member's slot goes with the member.
    DropSlotsAtOnce,
    /// `member_slots_ttl` as Patroni has it by default.
    KeepSlots,
    /// `synchronous_mode`.
    Synchronous(bool),
}

impl Condition {
    /// A condition of type `kind`; the time of change is set where it is written.
    pub(crate) fn new(kind: Reason, status: bool, reason: Reason, message: impl Into<String>) -> Condition {
        Condition {
            kind: kind.as_str().to_owned(),
            status,
            reason: reason.as_str().to_owned(),
            message: message.into(),
            since: None,
        }
    }

    /// Whether `recorded` says the same; texts alone may differ, they carry figures that change.
    pub(crate) fn says(&self, recorded: &Condition) -> bool {
        self.kind == recorded.kind && self.status == recorded.status && self.reason == recorded.reason
    }
}

impl Record {
    /// Whether this condition is already recorded, apart from its text.
    pub(crate) fn has(&self, condition: &Condition) -> bool {
        self.conditions.iter().any(|recorded| condition.says(recorded))
    }
}
