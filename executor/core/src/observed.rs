//! What is seen of the world around one request, as plain values.
//!
//! A snapshot: by the time it is acted upon it may be old. Every write is therefore fenced with the version of
//! the object it was computed from, and computed again when that fence refuses it.

mod claim;
mod members;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use units::{Bytes, Reason};

pub use self::{
    claim::{Capability, Claim, Class, Complaint, Event, Pod, Profile, Resize},
    members::{
        Answer, Cluster, Fork, Held, Hold, Member, MemberPod, Own, PodResize, Role, Slot, Sql, Standing,
        Trouble,
    },
};
use crate::request::{Phase, Resources, StandbyMode, StreamingMode};

/// Everything that [`crate::step()`] looks at besides the request itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Observed {
    /// The database, unless it does not exist.
    pub database: Option<Database>,
    /// Its PetSet, unless there is none.
    pub petset: Option<PetSet>,
    /// Its data claims, by ordinal.
    pub claims: Vec<Claim>,
    /// Its members, by ordinal; only looked up for requests that work on members ([`crate::needs`]).
    pub members: Vec<Member>,
    /// What Patroni says of the whole; only asked for such requests.
    pub cluster: Answer<Cluster>,
    /// Whether KubeDB makes the members: then only volumes are grown, Online.
    pub beside_kubedb: bool,
    /// Why nothing can be asked by SQL or told to Patroni, if so.
    pub credentials: Option<Trouble>,
    /// Storage quotas of the namespace.
    pub quotas: Vec<Quota>,
    /// Limits on the size of one claim in the namespace.
    pub limits: Vec<Limit>,
    /// The other requests of this database, finished ones too.
    pub queue: Vec<Queued>,
    /// What the API server answered to a trial of a claim's patch.
    pub trials: BTreeMap<String, Trial>,
    /// Writes of this request that the API server refused for good, as far as this process remembers.
    pub refusals: BTreeMap<Target, Refusal>,
    /// What this run has written to, with or without success, as far as this process remembers.
    pub attempted: BTreeSet<Target>,
    /// What members answered to the last write that went to them, where it failed; as far as this process remembers.
    pub troubles: BTreeMap<Target, Trouble>,
}

/// A Postgres.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Database {
    /// Identity of the object.
    pub uid: String,
    /// Whether a provisioner ever wrote its status.
    pub managed: bool,
    /// Managed: its provisioner calls it Ready. Unmanaged: its pods are Ready, and there is one.
    pub ready: bool,
    /// `spec.storage.resources.requests.storage`; absent when no storage is configured.
    pub storage: Option<Bytes>,
    /// `spec.replicas`.
    pub replicas: Option<u32>,
    /// `spec.standbyMode`.
    pub standby: Option<StandbyMode>,
    /// `spec.streamingMode`; absent is Asynchronous.
    pub streaming: Option<StreamingMode>,
    /// `spec.halted`.
    pub halted: bool,
    /// Resources of the container `postgres` in `spec.podTemplate`.
    pub resources: Resources,
    /// The `Paused` condition, when `True`.
    pub paused: Option<Pause>,
    /// Text of the `PauseAcknowledged` condition, when `True`.
    pub acknowledged: Option<String>,
}

/// A `Paused` condition that is `True`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pause {
    /// Its message: names the request, see [`crate::pause`].
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A PetSet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PetSet {
    /// Its name.
    pub name: String,
    /// What its claim template `data` asks for; absent without such a template.
    pub template: Option<Bytes>,
    /// Whether its controller is kept off it.
    pub unmanaged: bool,
    /// `spec.replicas`.
    pub replicas: u32,
    /// `status.replicas`, when the status is about the present spec.
    pub present: Option<u32>,
    /// Uid of the request that last said that it changes it no more.
    pub sealed: Option<String>,
    /// The hold that is written on it.
    pub hold: Option<Hold>,
    /// The hold that its controller keeps.
    pub held: Option<Held>,
    /// Resources of the container `postgres` in its pod template.
    pub resources: Resources,
    /// The same before they were last changed for a request.
    pub resources_before: Option<Resources>,
}

/// A limit on requested storage from a ResourceQuota.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Quota {
    /// The ResourceQuota.
    pub name: String,
    /// The class it is about; all classes when absent.
    pub class: Option<String>,
    /// The limit.
    pub hard: Bytes,
    /// What is requested already.
    pub used: Bytes,
}

/// A LimitRange of type PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The LimitRange.
    pub name: String,
    /// The largest request of one claim.
    pub maximum: Bytes,
}

/// Another request of the same database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queued {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// `spec.type`.
    pub kind: String,
    /// Whether it is an expansion with mode Online.
    pub online: bool,
    /// Creation.
    pub created: Timestamp,
    /// Its phase.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it has given way to an expansion.
    pub yielded: bool,
    /// Whether it cannot start for a reason of its own, such as a database that is not Ready.
    pub held: bool,
}

/// The answer to a trial.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trial {
    /// The size tried.
    pub to: Bytes,
    /// Why it was refused; absent when it was accepted.
    pub refused: Option<Refusal>,
}

/// A refusal by the API server that the same write would meet again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What it is about.
    pub reason: Reason,
    /// The API server's words.
    pub message: String,
}

/// The object a write goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The request's status or metadata.
    Request,
    /// Status of the Postgres.
    PostgresStatus,
    /// Spec of the Postgres.
    PostgresSpec,
    /// A claim.
    Claim(String),
    /// A pod.
    Pod(String),
    /// The resources of a running pod.
    PodSize(String),
    /// The PetSet.
    PetSet,
    /// Patroni's dynamic settings.
    PatroniConfig,
    /// Who leads.
    Leader,
    /// A member's PostgreSQL.
    Postgresql(String),
}

impl Observed {
    /// The member of this ordinal.
    #[must_use]
    pub fn member(&self, ordinal: u32) -> Option<&Member> {
        self.members.iter().find(|member| member.ordinal == ordinal)
    }

    /// The claim of this ordinal.
    #[must_use]
    pub fn claim(&self, ordinal: u32) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.ordinal == ordinal)
    }

    /// The member that holds the leader's key.
    #[must_use]
    pub fn leader(&self) -> Option<&Member> {
        let name = self.cluster.says()?.leader.as_ref()?;
        self.members.iter().find(|member| member.name == *name)
    }

    /// Whether this member is listed as streaming by the leader's PostgreSQL.
    #[must_use]
    pub fn is_streaming(&self, member: &Member) -> bool {
        let sql = self.leader().and_then(|leader| leader.sql.says());
        sql.is_some_and(|sql| sql.streaming.contains(&member.name))
    }

    /// The size that every member has: the smallest of its claims.
    #[must_use]
    pub fn common_size(&self) -> Option<Bytes> {
        self.claims
            .iter()
            .filter(|claim| claim.is_usable())
            .map(Claim::size)
            .min()
    }
}
