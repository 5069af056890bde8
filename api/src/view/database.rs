//! A database as the decider sees it: the record of its decision, whole.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A database with its autoscaler.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Database {
    /// Of both.
    pub namespace: String,
    /// The Postgres.
    pub name: String,
    /// The PostgresAutoscaler.
    pub autoscaler: String,
    /// What is decided, and why.
    pub decision: Decision,
    /// A full volume would grow now.
    pub can_grow: bool,
    /// The reason why it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barrier: Option<String>,
    /// How fast the volume that is full first fills, in bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Seconds until it is full; absent with a known `rate`, it will not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_in: Option<u64>,
    /// What the provider still permits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// The numbers of the autoscaler, if they can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Milliseconds that an expansion of its class is reckoned to take: as those seen took, or as its profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expansion_millis: Option<u64>,
    /// Its data volumes, by ordinal.
    pub volumes: Vec<Volume>,
    /// Things to know beside the decision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The VolumeExpansion request that is not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The last growth that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Growth>,
}

/// What is decided now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// The one word.
    pub reason: String,
    /// The words for this database.
    pub text: String,
    /// What can be done about it; empty where nothing needs doing.
    pub remedy: String,
    /// The size that is asked for, in a decision to grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// What else would have made it grow, had the cause told not done so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Note>,
    /// The size and what it was weighed against, if it came to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizing: Option<Sizing>,
}

/// How a size came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sizing {
    /// The size before.
    pub base: u64,
    /// The rule applied, in words.
    pub rule: String,
    /// How many times.
    pub steps: u32,
    /// The smallest size at which every volume is under the thresholds by the margin.
    pub needed: u64,
    /// The part of it that rates need; zero if none is known.
    pub for_rate: u64,
    /// What the rules give.
    pub wanted: u64,
    /// Every limit looked at.
    pub caps: Vec<Cap>,
    /// The limit that made it less than wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capped_by: Option<Cap>,
    /// The size after.
    pub to: u64,
    /// The arithmetic in one line.
    pub text: String,
}

/// A limit on the size of every volume of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cap {
    /// What is said when it stops a growth.
    pub reason: String,
    /// Its name, with the number as it is written.
    pub what: String,
    /// The largest size it allows.
    pub limit: u64,
}

/// Modifications that a provider permits within a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Budget {
    /// Modifications within the window.
    pub count: u32,
    /// The window, in seconds.
    pub window: u64,
    /// Those of them that are used up.
    pub spent: u32,
    /// When the next one is permitted; absent if now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
}

/// Percentages above which volumes grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Thresholds {
    /// Of space.
    pub usage: u8,
    /// Of inodes, where their number is fixed.
    pub inodes: u8,
    /// No volume becomes larger than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<u64>,
}

/// One data volume.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    /// The PersistentVolumeClaim.
    pub claim: String,
    /// The PersistentVolume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The StorageClass.
    pub storage_class: String,
    /// What the claim asks for.
    pub request: u64,
    /// What the claim has.
    pub size: u64,
    /// The node that measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The filesystem; absent is unknown, which is not zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Used inodes in percent, where their number is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes_percent: Option<u8>,
    /// How fast it fills, in bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Seconds until it is full; absent with a known `rate`, it will not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_in: Option<u64>,
    /// Seconds that a growth is reckoned to need: with less than this left, it is time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<u64>,
    /// When the numbers were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled_at: Option<Timestamp>,
    /// Seconds since they were last known to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<f64>,
    /// What it says by itself.
    pub reason: String,
    /// The words for it.
    pub text: String,
}

/// A filesystem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Its size.
    pub capacity: u64,
    /// What can still be written.
    pub available: u64,
    /// What is taken.
    pub used: u64,
    /// Taken, in whole percent of what files can ever take.
    pub percent: u8,
}

/// Something to know that is no decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Note {
    /// The one word.
    pub reason: String,
    /// The words, with the remedy.
    pub message: String,
}

/// A PostgresOpsRequest under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    /// Its name.
    pub name: String,
    /// Its phase, where the watch has shown it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// The size it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// A growth that was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Growth {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What made it necessary.
    pub reason: String,
    /// The arithmetic in a sentence.
    pub message: String,
    /// Size before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Size asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// The PostgresOpsRequest.
    pub request: String,
}
