//! The decider's view: what it sees and decides at this moment, as JSON over HTTP/1.1 on its view port.
//!
//! The version is the first part of the path. Within one, fields are added and never change their meaning; a reader leaves
//! alone what it does not know, and takes an absent field for one that is not known. Sizes are bytes, lengths of time
//! seconds, instants RFC 3339. What it is not: a Kubernetes API; nothing is stored, and nothing can be changed through it.

mod database;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use database::{
    Budget, Cap, Database, Decision, Growth, Note, Request, Sizing, Thresholds, Usage, Volume,
};

/// The Service through which the API server's proxy reaches the view.
pub const SERVICE: &str = "highwater-view";
/// All databases, by page; with `/<namespace>/<name>`, one.
pub const DATABASES: &str = "/v1/databases";
/// The nodes whose agents report.
pub const NODES: &str = "/v1/nodes";
/// Databases of an answer, unless fewer are asked for. At some 2 KiB each an answer stays under a few MiB.
pub const PAGE: usize = 500;

/// An answer: who gives it, and what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer<T> {
    /// Who answers.
    pub replica: Replica,
    /// The rest.
    #[serde(flatten)]
    pub content: T,
}

/// A decider. Followers decide as the leader does and do not act, so that either may answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Replica {
    /// Its pod.
    pub name: String,
    /// It is the one that acts.
    pub leads: bool,
    /// Of its program.
    pub version: String,
    /// What time it is there.
    pub at: Timestamp,
}

/// A page of databases, by namespace and name of their autoscaler.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Databases {
    /// One for each autoscaler.
    pub databases: Vec<Database>,
    /// What to ask for `after` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What to ask [`DATABASES`] for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Page {
    /// This namespace only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Those after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many, and at most [`PAGE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// The nodes of which agents have told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Nodes {
    /// By name.
    pub nodes: Vec<Node>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its agent has a stream open to this replica.
    pub connected: bool,
    /// Until when everything it told is known to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Mounts it tells of.
    pub mounts: usize,
}

/// What is answered with another code than 200: the fields of a Kubernetes `Status`, so that whatever reads those shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refusal {
    /// `Failure`.
    pub status: String,
    /// The code once more.
    pub code: u16,
    /// Why, in a word: `NotFound`, `BadRequest`, `ServiceUnavailable`.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a newer decider adds is left alone, what an older one does not tell is not known.
    #[test]
    fn an_answer_of_another_version_reads() {
        let text = json!({
            "replica": {"name": "a", "leads": true, "zone": "b"},
            "databases": [{"namespace": "demo", "name": "shop", "mood": "calm", "decision": {"reason": "BelowThreshold"}}],
        });
        let answer: Answer<Databases> = serde_json::from_value(text).unwrap();
        assert!(answer.replica.leads && answer.content.next.is_none());
        let database = &answer.content.databases[0];
        assert_eq!(database.decision.reason, "BelowThreshold");
        assert_eq!((database.rate, database.full_in), (None, None));
        assert!(database.budget.is_none());
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let text = json!(Answer {
            replica: Replica::default(),
            content: Databases {
                databases: vec![Database::default()],
                next: None,
            },
        });
        let database = text["databases"][0].as_object().unwrap();
        for field in ["rate", "fullIn", "budget", "last", "request", "barrier"] {
            assert!(!database.contains_key(field), "{field}");
        }
        assert!(text.get("next").is_none());
    }
}
