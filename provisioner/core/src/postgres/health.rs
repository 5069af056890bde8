//! What is said of a database from its members and from asking the primary: KubeDB's conditions and their words.

use units::{Bytes, Reason};

use super::Finding;

/// A member as Kubernetes sees it, and as the primary does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Name of its pod.
    pub name: String,
    /// Its pod exists.
    pub exists: bool,
    /// Its container runs, whatever PostgreSQL does in it.
    pub runs: bool,
    /// Its pod is Ready.
    pub ready: bool,
    /// It is the leader.
    pub leads: bool,
    /// What keeps it from running, if that is known.
    pub trouble: Option<Finding>,
}

/// What came of asking the primary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// It answers, and writes.
    Works(Primary),
    /// It does not, as often in a row as counts.
    Fails(Finding),
}

/// What the primary says of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Primary {
    /// Names of the standbys that stream.
    pub streaming: Vec<String>,
    /// What keeps WAL.
    pub kept: Vec<Kept>,
}

/// Something that keeps WAL that nobody fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// An inactive slot.
    Slot {
        /// Its name.
        name: String,
        /// How much it keeps.
        bytes: Bytes,
    },
    /// `archive_command` fails.
    Archiver {
        /// The file it fails on.
        file: String,
        /// How much waits for it.
        bytes: Bytes,
    },
}

/// A condition, without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its type.
    pub kind: &'static str,
    /// `True` or `False`.
    pub status: bool,
    /// Reason and message.
    pub finding: Finding,
}

/// Conditions of a database that is meant to run. `path` is `<namespace>/<name>`, `provisioned` whether it was complete
/// once.
#[must_use]
pub fn said(path: &str, members: &[Member], answer: &Answer, provisioned: bool) -> Vec<Said> {
    let replicas = replicas(members, answer);
    let mut all = Vec::new();
    let accepts = match answer {
        Answer::Unknown => None,
        Answer::Works(_) => Some(Finding::new(
            Reason::DatabaseAcceptingConnectionRequest,
            format!("The PostgreSQL: {path} is accepting client requests."),
        )),
        Answer::Fails(why) => Some(Finding::new(
            Reason::DatabaseNotAcceptingConnectionRequest,
            format!(
                "The PostgreSQL: {path} is not accepting client requests: {}",
                why.message
            ),
        )),
    };
    let works = matches!(answer, Answer::Works(_));
    let ready = replicas.status && works;
    let why = replicas.finding.message.clone();
    all.push(replicas);
    if let Some(finding) = accepts {
        all.push(Said {
            kind: "AcceptingConnection",
            status: works,
            finding,
        });
        all.push(Said {
            kind: "Ready",
            status: ready,
            finding: readiness(path, ready, answer, why),
        });
    }
    if provisioned || ready {
        all.push(Said {
            kind: "Provisioned",
            status: true,
            finding: Finding::new(
                Reason::DatabaseSuccessfullyProvisioned,
                format!("The PostgreSQL: {path} is successfully provisioned."),
            ),
        });
    }
    all
}

fn readiness(path: &str, ready: bool, answer: &Answer, why: String) -> Finding {
    if ready {
        return Finding::new(
            Reason::ReadinessCheckSucceeded,
            format!("The PostgreSQL: {path} is ready."),
        );
    }
    let why = match answer {
        Answer::Fails(finding) => finding.message.clone(),
        Answer::Works(_) | Answer::Unknown => why,
    };
    Finding::new(
        Reason::ReadinessCheckFailed,
        format!("The PostgreSQL: {path} is not ready: {why}"),
    )
}

fn replicas(members: &[Member], answer: &Answer) -> Said {
    let words: Vec<String> = members
        .iter()
        .filter_map(|member| wrong(member, answer))
        .collect();
    if words.is_empty() && !members.is_empty() {
        return Said {
            kind: "ReplicaReady",
            status: true,
            finding: Finding::new(Reason::AllReplicasReady, "All desired replicas are ready."),
        };
    }
    let not_streaming = members.iter().any(|member| is_cut_off(member, answer));
    let reason = if not_streaming {
        Reason::MemberNotStreaming
    } else {
        Reason::SomeReplicasNotReady
    };
    let text = if members.is_empty() {
        "no member exists yet".to_owned()
    } else {
        words.join("; ")
    };
    Said {
        kind: "ReplicaReady",
        status: false,
        finding: Finding::new(reason, text),
    }
}

/// It runs, and the primary does not list it: what is committed does not reach it, and its rows may differ.
fn is_cut_off(member: &Member, answer: &Answer) -> bool {
    let Answer::Works(primary) = answer else {
        return false;
    };
    (member.ready || member.runs) && !member.leads && !primary.streaming.contains(&member.name)
}

fn wrong(member: &Member, answer: &Answer) -> Option<String> {
    let Member {
        name,
        exists,
        runs: _,
        ready,
        leads: _,
        trouble,
    } = member;
    if !exists {
        let why = trouble.as_ref().map_or("", |finding| finding.message.as_str());
        let colon = if why.is_empty() { "" } else { ": " };
        return Some(format!("pod {name} does not exist{colon}{why}"));
    }
    if let Some(trouble) = trouble {
        return Some(format!("pod {name}: {}", trouble.message));
    }
    if is_cut_off(member, answer) {
        let copies = if *ready { "" } else { ", or still copies its data" };
        return Some(format!(
            "member {name} runs and the primary does not list it as streaming{copies}: see the log of its container postgres. \
             If its volume is full, create a PostgresOpsRequest of type VolumeExpansion with apply: Always; if it has grown \
             since, delete the pod, for Patroni does not repeat a rewind that failed for want of room. If its timeline has \
             diverged, `patronictl reinit` makes it anew from the primary and discards its rows"
        ));
    }
    (!ready).then(|| format!("pod {name} is not ready"))
}

/// Condition `WALRetained`: what keeps WAL, how much, since when. Sizes are told in powers of two, so that the words do not
/// change with every check.
#[must_use]
pub fn retained(kept: &[Kept], volume: Bytes) -> Option<Finding> {
    let mut reason = Reason::ArchiverFailing;
    let words: Vec<String> = kept
        .iter()
        .filter_map(|kept| match kept {
            Kept::Slot { name, bytes } => {
                let matters = bytes.get() >= (volume.get() / 20).max(16 << 20);
                if matters {
                    reason = Reason::SlotRetainsWal;
                }
                matters.then(|| {
                    format!(
                        "replication slot {name} is inactive and keeps {} of WAL: bring its standby back, or drop the slot",
                        rounded(*bytes)
                    )
                })
            }
            Kept::Archiver { file, bytes } => Some(format!(
                "archive_command fails on {file}, {} of WAL wait for it: repair the archive, or archive_command",
                rounded(*bytes)
            )),
        })
        .collect();
    (!words.is_empty()).then(|| Finding::new(reason, words.join("; ")))
}

/// At least so much; a power of two, in whole MiB.
fn rounded(bytes: Bytes) -> String {
    let whole = (bytes.get() >> 20).max(1);
    format!("at least {}", Bytes::new(1 << (20 + whole.ilog2())))
}

/// Of the members' troubles the first, with the name of its pod.
#[must_use]
pub fn first_trouble(members: &[Member]) -> Option<Finding> {
    members.iter().find_map(|member| {
        let Finding { reason, message } = member.trouble.as_ref()?;
        Some(Finding::new(*reason, format!("pod {}: {message}", member.name)))
    })
}
