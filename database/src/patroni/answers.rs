//! What Patroni answers, read into our words. Pure. Unknown fields and words are no error: Patroni adds some with each release.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Lsn;

/// `GET /cluster` (`cluster_as_json` in Patroni's `utils.py`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cluster {
    /// All members that announced themselves, by name.
    pub members: Vec<ClusterMember>,
    /// Automatic failover is switched off (`patronictl pause`).
    #[serde(default, rename = "pause")]
    pub paused: bool,
}

/// A member as the store knows it: as old as its last turn (`loop_wait`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClusterMember {
    /// The pod's name.
    pub name: String,
    /// What it is to the others.
    pub role: Role,
    /// What its server does.
    #[serde(default)]
    pub state: State,
    /// PostgreSQL's address, once announced.
    pub host: Option<String>,
    /// PostgreSQL's port, once announced.
    pub port: Option<u16>,
    /// Its timeline, while it runs.
    #[serde(default, deserialize_with = "number")]
    pub timeline: Option<u64>,
    /// Bytes behind the leader; none for the leader and when Patroni says `unknown`.
    #[serde(default, deserialize_with = "number")]
    pub lag: Option<u64>,
}

/// What a member is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Holds the leader lock.
    Leader,
    /// Holds the leader lock of a standby cluster.
    StandbyLeader,
    /// Follows; every commit waits for it.
    SyncStandby,
    /// Follows; commits wait for a quorum of such.
    QuorumStandby,
    /// Follows.
    Replica,
    /// None of these: demoted, uninitialised or a word of a later release.
    Other,
}

/// What a member's server does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Up.
    Running,
    /// Up, a standby, and receives from its upstream.
    Streaming,
    /// Up, a standby, and replays from the archive.
    InArchiveRecovery,
    /// Starting, restarting, or in crash recovery.
    Starting,
    /// Copies its data from another member.
    CreatingReplica,
    /// On its way down.
    Stopping,
    /// Down in good order.
    Stopped,
    /// Down, and not as wanted: `start failed`, `restart failed`, `stop failed`, `initdb failed`, `crashed`.
    Failed(String),
    /// Another word, or none.
    #[default]
    Unknown,
    /// A word that says something else, as `initializing new cluster`.
    Other(String),
}

/// `GET /patroni`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What it is; `primary` reads as [`Role::Leader`].
    pub role: Role,
    /// What its server does.
    pub state: State,
    /// Its timeline, while it runs.
    pub timeline: Option<u64>,
    /// Written so far; of a primary only.
    pub location: Option<Lsn>,
    /// Received so far; of a standby only.
    pub received: Option<Lsn>,
    /// Replayed so far; of a standby only.
    pub replayed: Option<Lsn>,
    /// Who receives from it.
    pub replication: Vec<Replication>,
    /// No member holds the leader lock.
    pub unlocked: bool,
    /// Automatic failover is switched off.
    pub paused: bool,
    /// Settings wait for a restart of its server.
    pub pending_restart: bool,
}

/// A receiver in `GET /patroni`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Replication {
    /// The member's name.
    #[serde(default)]
    pub application_name: String,
    /// `streaming`, `catchup`, `startup`, `backup`.
    #[serde(default)]
    pub state: String,
    /// `async`, `potential`, `sync`, `quorum`.
    #[serde(default)]
    pub sync_state: String,
}

#[derive(Deserialize)]
struct RawMember {
    role: Role,
    state: State,
    #[serde(default)]
    replication_state: State,
    #[serde(default, deserialize_with = "number")]
    timeline: Option<u64>,
    #[serde(default)]
    xlog: Positions,
    #[serde(default)]
    replication: Vec<Replication>,
    #[serde(default)]
    cluster_unlocked: bool,
    #[serde(default)]
    pause: bool,
    #[serde(default)]
    pending_restart: bool,
}

#[derive(Default, Deserialize)]
struct Positions {
    #[serde(default, deserialize_with = "number")]
    location: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    received_location: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    replayed_location: Option<u64>,
}

pub(super) fn cluster(body: &[u8]) -> Result<Cluster, serde_json::Error> {
    serde_json::from_slice(body)
}

pub(super) fn member(body: &[u8]) -> Result<Member, serde_json::Error> {
    let raw: RawMember = serde_json::from_value(config(body)?)?;
    // As in `/cluster`: the state of the reception, where there is one, says more than `running`.
    let state = match raw.replication_state {
        State::Unknown => raw.state,
        state => state,
    };
    Ok(Member {
        role: raw.role,
        state,
        timeline: raw.timeline,
        location: raw.xlog.location.map(Lsn),
        received: raw.xlog.received_location.map(Lsn),
        replayed: raw.xlog.replayed_location.map(Lsn),
        replication: raw.replication,
        unlocked: raw.cluster_unlocked,
        paused: raw.pause,
        pending_restart: raw.pending_restart,
    })
}

/// The dynamic settings: an object, whatever is in it.
pub(super) fn config(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<serde_json::Map<_, _>>(body).map(Value::Object)
}

impl From<&str> for Role {
    fn from(word: &str) -> Self {
        match word {
            "leader" | "primary" | "master" => Self::Leader,
            "standby_leader" => Self::StandbyLeader,
            "sync_standby" => Self::SyncStandby,
            "quorum_standby" => Self::QuorumStandby,
            "replica" => Self::Replica,
            _ => Self::Other,
        }
    }
}

impl From<&str> for State {
    fn from(word: &str) -> Self {
        match word {
            "" => Self::Unknown,
            "running" => Self::Running,
            "streaming" => Self::Streaming,
            "in archive recovery" => Self::InArchiveRecovery,
            "starting" | "restarting" | "starting after custom bootstrap" => Self::Starting,
            "creating replica" => Self::CreatingReplica,
            "stopping" => Self::Stopping,
            "stopped" => Self::Stopped,
            "crashed" => Self::Failed(word.to_owned()),
            word if word.ends_with(" failed") => Self::Failed(word.to_owned()),
            word => Self::Other(word.to_owned()),
        }
    }
}

impl State {
    /// Whether its server accepts connections.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Running | Self::Streaming | Self::InArchiveRecovery)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Streaming => "streaming",
            Self::InArchiveRecovery => "in archive recovery",
            Self::Starting => "starting",
            Self::CreatingReplica => "creating replica",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::Failed(word) | Self::Other(word) => word,
        })
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Value::deserialize(deserializer)?
            .as_str()
            .unwrap_or_default()
            .into())
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Value::deserialize(deserializer)?
            .as_str()
            .unwrap_or_default()
            .into())
    }
}

/// A number, or a word in its place (`unknown`), or null.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}

#[cfg(test)]
mod tests;
