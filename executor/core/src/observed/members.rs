//! The members of a database: their pods, and what Patroni and PostgreSQL say of them.
//!
//! None of it is watched. It is asked anew at each look, and only for requests that work on members
//! ([`crate::needs`]).

use jiff::Timestamp;
use units::Reason;

use crate::{lsn::Lsn, request::Resources};

/// What somebody answered who may also be silent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer<T> {
    /// Nobody asked.
    NotAsked,
    /// Asked, and no usable answer.
    Silent(Trouble),
    /// The answer.
    Says(T),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trouble {
    /// The cause.
    pub reason: Reason,
    /// Its particulars.
    pub message: String,
}

/// One member: an ordinal of the PetSet that has, had, or is to have a pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its ordinal.
    pub ordinal: u32,
    /// Its name: its pod's, and Patroni's.
    pub name: String,
    /// Its pod, unless there is none.
    pub pod: Option<MemberPod>,
    /// Its line in Patroni's list of members; none when Patroni does not know it.
    pub standing: Option<Standing>,
    /// What its own Patroni says.
    pub own: Answer<Own>,
    /// What its PostgreSQL says.
    pub sql: Answer<Sql>,
}

/// The pod of a member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberPod {
    /// Its identity.
    pub uid: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it is bound to a node.
    pub assigned: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Whether it has ended: phase `Succeeded` or `Failed`.
    pub finished: bool,
    /// Whether its container `postgres` runs.
    pub running: bool,
    /// Whether it is Ready.
    pub ready: bool,
    /// Value of its role label.
    pub role: Option<String>,
    /// Value of its label `controller-revision-hash`.
    pub revision: Option<String>,
    /// Resources of its container `postgres`, as asked for.
    pub resources: Resources,
    /// A change of its resources that is not done yet.
    pub resize: Option<PodResize>,
    /// Why it does not run, in Kubernetes' words: unschedulable, or its container waits.
    pub complaint: Option<String>,
}

/// Conditions `PodResizePending` and `PodResizeInProgress` of a pod, and what kubelet reports of its container:
/// kubernetes/kubernetes:staging/src/k8s.io/api/core/v1/types.go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PodResize {
    /// The node can never give that much. In its words.
    Infeasible(String),
    /// The node cannot give it now, or has not looked yet.
    Pending(String),
    /// Kubelet is at it.
    InProgress(String),
}

/// A member's role in Patroni.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It holds the leader's key.
    Leader,
    /// A commit waits for it.
    SyncStandby,
    /// It follows.
    Replica,
    /// Anything else.
    Other,
}

/// One line of `GET /cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Its role.
    pub role: Role,
    /// `running`, `streaming`, `starting`, …
    pub state: String,
    /// Its timeline.
    pub timeline: Option<u64>,
    /// How far it is behind the leader, in bytes; none when unknown.
    pub lag: Option<u64>,
}

/// `GET /patroni` of one member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Own {
    /// Whether it thinks that it leads.
    pub leads: bool,
    /// `running`, `starting`, …
    pub state: String,
    /// Its timeline.
    pub timeline: Option<u64>,
    /// The last position written, for a standby the last received or replayed.
    pub position: Option<Lsn>,
}

/// What a member's PostgreSQL says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sql {
    /// Whether it is a standby.
    pub in_recovery: bool,
    /// The last position written, for a standby the last replayed.
    pub position: Lsn,
    /// `application_name` of those that stream from it, in state `streaming`.
    pub streaming: Vec<String>,
    /// Its replication slots.
    pub slots: Vec<Slot>,
}

/// A replication slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Whether somebody uses it.
    pub active: bool,
}

/// What Patroni says of the whole database: `GET /cluster` and `GET /config`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cluster {
    /// The member that holds the leader's key; it may be a name without a pod.
    pub leader: Option<String>,
    /// Members that Patroni lists and that are no ordinal of the PetSet.
    pub strangers: Vec<String>,
    /// `synchronous_mode`: a commit waits for a standby.
    pub synchronous: bool,
    /// `member_slots_ttl`, in seconds; none when it is not set.
    pub member_slots_ttl: Option<u64>,
    /// Whether somebody paused Patroni: it then fails nothing over.
    pub paused: bool,
    /// `GET /history`: how timelines ended, oldest first.
    pub forks: Vec<Fork>,
}

/// The end of a timeline: a member was promoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fork {
    /// The timeline that ended.
    pub timeline: u64,
    /// Where it ended.
    pub at: Lsn,
    /// Who was promoted; none where Patroni does not know.
    pub leader: Option<String>,
}

/// A hold on a PetSet: the pod of one ordinal stays away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hold {
    /// The ordinal.
    pub ordinal: u32,
    /// Uid of the request it is for.
    pub uid: String,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// The acknowledgement of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held {
    /// The ordinal.
    pub ordinal: u32,
    /// Uid of the request it is held for.
    pub uid: String,
}

impl<T> Answer<T> {
    /// The answer, if there is one.
    pub fn says(&self) -> Option<&T> {
        match self {
            Answer::Says(answer) => Some(answer),
            Answer::NotAsked | Answer::Silent(_) => None,
        }
    }

    /// Why there is none, if somebody asked.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Answer::Silent(trouble) => Some(trouble),
            Answer::NotAsked | Answer::Says(_) => None,
        }
    }
}

impl Member {
    /// The name of its replication slot: patroni/patroni:patroni/dcs/__init__.py, `slot_name_from_member_name`, for the
    /// characters that the name of a pod can have.
    #[must_use]
    pub fn slot(&self) -> String {
        self.name.replace(['-', '.'], "_")
    }

    /// Whether Patroni says that it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.standing
            .as_ref()
            .is_some_and(|standing| matches!(standing.state.as_str(), "running" | "streaming"))
    }
}
