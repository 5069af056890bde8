//! The status of a Postgres: what is said of it now, put over what was said before. Pure.

use api::{
    conditions::{Condition, find, remove_condition, set_condition},
    kubedb::v1::condition,
};
use jiff::Timestamp;
use kube::ResourceExt;
use provisioner_core::postgres::{
    Deletion, Finding, Object, Observed, Standing, deletion,
    differences::{Compared, behind, needed},
    health::{Answer, Member, retained, said},
    phase,
};
use serde_json::{Value, json};
use units::Reason;

use crate::{
    build, differs,
    observe::View,
    troubles,
    wish::{self, Wish},
};

/// What a status is made of, beside the view.
pub(crate) struct Account<'a> {
    pub(crate) seen: &'a Observed,
    pub(crate) wish: Option<&'a Wish>,
    pub(crate) answer: &'a Answer,
    /// What stands in the way, the gravest first.
    pub(crate) findings: &'a [Finding],
}

/// The status to be written; none if it is there already.
pub(crate) fn changed(view: &View, account: &Account<'_>, now: Timestamp) -> Option<Value> {
    let mut all = view.conditions.clone();
    let mut book = Book {
        all: &mut all,
        generation: view.generation(),
        now,
    };
    let path = view.key.to_string();
    if view.is_deleted() {
        book.keep(condition::FAILURE, waits(account.seen));
    } else {
        running(&mut book, view, account, &path);
        book.keep(condition::FAILURE, account.findings.first().cloned());
    }
    let pause = view
        .pause()
        .map(|words| Finding::new(Reason::Paused, format!("acknowledged: {words}")));
    book.keep(condition::PAUSE_ACKNOWLEDGED, pause);
    let word = phase(|kind| find(&all, kind).map(Condition::is_true)).map(|phase| phase.as_str());
    let mut status = json!({
        "observedGeneration": view.generation(),
        "conditions": with_others(view, &all),
    });
    if let Some(word) = word {
        status["phase"] = json!(word);
    }
    let before = view.postgres.at("/status").cloned().unwrap_or(Value::Null);
    differs::lacks(&status, &before).then_some(status)
}

/// Conditions being changed.
struct Book<'a> {
    all: &'a mut Vec<Condition>,
    generation: Option<i64>,
    now: Timestamp,
}

impl Book<'_> {
    fn set(&mut self, kind: &str, status: bool, finding: &Finding) {
        let Finding { reason, message } = finding;
        let condition = Condition::new(kind, status, reason.as_str(), message.clone());
        set_condition(self.all, condition.observed(self.generation), self.now);
    }

    /// A condition that is there only while it is true.
    fn keep(&mut self, kind: &str, finding: Option<Finding>) {
        match finding {
            Some(finding) => self.set(kind, true, &finding),
            None => drop(remove_condition(self.all, kind)),
        }
    }
}

fn running(book: &mut Book<'_>, view: &View, account: &Account<'_>, path: &str) {
    if find(book.all, condition::PROVISIONING_STARTED).is_none() {
        let started = Finding::new(
            Reason::DatabaseProvisioningStartedSuccessfully,
            format!("Highwater has started the provisioning of Postgres: {path}"),
        );
        book.set(condition::PROVISIONING_STARTED, true, &started);
    }
    if view.is_halted() {
        return halted(book, account.seen, path);
    }
    remove_condition(book.all, condition::HALTED);
    let members = members(view, account.wish);
    let provisioned = find(book.all, condition::PROVISIONED).is_some_and(Condition::is_true);
    for said in said(path, &members, account.answer, provisioned) {
        book.set(said.kind, said.status, &said.finding);
    }
    if let (Answer::Works(primary), Some(wish)) = (account.answer, account.wish) {
        book.keep(condition::WAL_RETAINED, retained(&primary.kept, wish.room.volume));
    }
    // While a request is at work, spec and database differ on purpose.
    if let Some(compared) = compared(view).filter(|_| view.pause().is_none()) {
        book.keep(condition::SPEC_BEHIND, behind(&compared));
        book.keep(condition::REQUEST_NEEDED, needed(&compared));
    }
}

fn halted(book: &mut Book<'_>, seen: &Observed, path: &str) {
    let set = matches!(
        seen.standing(Object::Set),
        Standing::Absent | Standing::Unneeded | Standing::NotOurs
    );
    if set && seen.pods.is_empty() {
        let done = Finding::new(
            Reason::DatabaseHaltedSuccessfully,
            format!("The PostgreSQL: {path} is halted; its claims and Secrets are kept."),
        );
        book.set(condition::HALTED, true, &done);
    } else {
        let names: Vec<_> = seen.pods.iter().map(|pod| pod.name.as_str()).collect();
        let text = format!("waits for pods to end: {}", names.join(", "));
        book.set(condition::HALTED, false, &Finding::new(Reason::Halting, text));
    }
}

fn waits(seen: &Observed) -> Option<Finding> {
    let deletion: Deletion = seen.deletion?;
    Some(Finding::new(
        Reason::DeletionWaits,
        deletion::waits(seen, deletion)?,
    ))
}

/// Every member that is meant to be there.
pub(crate) fn members(view: &View, wish: Option<&Wish>) -> Vec<Member> {
    let count = wish.map_or_else(|| view.spec.replicas.unwrap_or(1), |wish| wish.members);
    let has_script = view.spec.init.as_ref().is_some_and(|init| init.script.is_some());
    (0..count)
        .map(|ordinal| {
            let name = format!("{}-{ordinal}", view.name());
            let Some(pod) = view.pods.iter().find(|pod| pod.name_any() == name) else {
                return Member {
                    name,
                    ..Member::default()
                };
            };
            let ready = troubles::is_ready(pod);
            Member {
                exists: true,
                runs: troubles::runs(pod),
                ready,
                leads: troubles::says_primary(pod),
                trouble: if ready {
                    None
                } else {
                    troubles::of_pod(pod, has_script)
                },
                name,
            }
        })
        .collect()
}

fn compared(view: &View) -> Option<Compared> {
    let set = view.set()?;
    let storage = view
        .spec
        .storage
        .as_ref()
        .and_then(|storage| storage.storage()?.ok());
    let template = set
        .spec
        .claim_size(api::names::DATA_TEMPLATE)
        .and_then(Result::ok);
    let claims = view.claims.iter().filter_map(wish::asked).min();
    Some(Compared {
        storage,
        claims: claims.or(template),
        replicas: view.spec.replicas.unwrap_or(1),
        members: set.spec.replicas.unwrap_or(1),
        version: view.spec.version.clone(),
        running: build::running(view),
    })
}

/// What others wrote stays as it came, also what our type does not read.
fn with_others(view: &View, all: &[Condition]) -> Vec<Value> {
    let raw = view.postgres.at("/status/conditions").and_then(Value::as_array);
    let raw: &[Value] = raw.map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .map(|condition| {
            let same = |old: &&Condition| *old == condition;
            let place = view.conditions.iter().position(|old| same(&old));
            place
                .and_then(|place| raw.get(place))
                .cloned()
                .unwrap_or_else(|| json!(condition))
        })
        .collect()
}
