//! What the status remembers of the members that a request works on.

use jiff::Timestamp;
use units::Reason;

use crate::lsn::Lsn;

/// One line of `status.members`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberRecord {
    /// Its ordinal in the PetSet.
    pub ordinal: u32,
    /// How far it is.
    pub stage: MemberStage,
    /// Uid of its pod when the line was made: a later pod of that name has another.
    pub pod_uid: Option<String>,
    /// Uid of its claim when the line was made.
    pub claim_uid: Option<String>,
    /// Its last position before it was stopped.
    pub position: Option<Lsn>,
    /// The timeline of that position.
    pub timeline: Option<u64>,
    /// Why it is there.
    pub reason: Reason,
    /// The same for people.
    pub message: String,
    /// Since when the stage holds; set where it is written.
    pub since: Option<Timestamp>,
}

/// How far one member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberStage {
    /// Its turn has not come.
    Pending,
    /// It leads, and another is to lead first.
    HandingOver,
    /// It is being made, and has to join and stream.
    Joining,
    /// It is being stopped for good.
    Leaving,
    /// It is held away from its pod, while its volume is worked on.
    Held,
    /// Its pod is being replaced by a new one.
    Replacing,
    /// It has stopped for good and its claim is gone.
    Gone,
    /// It streams, or leads.
    Ready,
}

impl MemberStage {
    /// Every stage.
    pub const ALL: [MemberStage; 8] = [
        MemberStage::Pending,
        MemberStage::HandingOver,
        MemberStage::Joining,
        MemberStage::Leaving,
        MemberStage::Held,
        MemberStage::Replacing,
        MemberStage::Gone,
        MemberStage::Ready,
    ];

    /// The word in the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            MemberStage::Pending => "Pending",
            MemberStage::HandingOver => "HandingOver",
            MemberStage::Joining => "Joining",
            MemberStage::Leaving => "Leaving",
            MemberStage::Held => "Held",
            MemberStage::Replacing => "Replacing",
            MemberStage::Gone => "Gone",
            MemberStage::Ready => "Ready",
        }
    }
}
