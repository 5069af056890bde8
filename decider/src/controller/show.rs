//! Show: what is seen and decided of a database at this moment, for whoever asks. The same gathering and the same decision as
//! [`super::look`]'s, made anew for the answer, so that nothing has to be kept for it; nothing is written, told or counted.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

use api::view;
use control::watch::Key;
use decider_core::{Cap, Database, Decision, Note, Policy, Record, Sizing, Volume, VolumeRecord};
use jiff::Timestamp;
use runtime::tasks::panic_text;
use units::{Bytes, Reason};

use super::{
    Context, forecast,
    gather::{Gathered, gather},
};
use crate::objects::Autoscaler;

impl Context {
    /// All that there is has been taken in: before that, absence means nothing.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// Whether this process is the one that acts.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.parts.writes.leader().is_leader_now()
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The nodes of which agents have told.
    #[must_use]
    pub fn nodes(&self) -> Vec<view::Node> {
        self.parts.store.nodes()
    }

    /// The first `limit` autoscalers of a page and whether there are more, in the order of their names.
    #[must_use]
    pub fn page(&self, namespace: Option<&str>, after: Option<&Key>, limit: usize) -> (Vec<Key>, bool) {
        let wanted = |key: &Key| {
            namespace.is_none_or(|n| *key.namespace == *n) && after.is_none_or(|after| key > after)
        };
        // No more than a page and one is ever kept.
        let mut first = BTreeSet::new();
        for (key, _) in self.parts.objects.autoscalers.matching(|key, _| wanted(key)) {
            first.insert(key);
            if first.len() > limit.saturating_add(1) {
                first.pop_last();
            }
        }
        let more = first.len() > limit;
        (first.into_iter().take(limit).collect(), more)
    }

    /// The autoscalers of a database.
    #[must_use]
    pub fn autoscalers_of(&self, database: &Key) -> Vec<Key> {
        self.index().autoscalers(database)
    }

    /// A database by its autoscaler; `None` if that is not there.
    #[must_use]
    pub fn show(&self, key: &Key) -> Option<view::Database> {
        let autoscaler = self.parts.objects.autoscalers.get(key)?;
        let now = self.now();
        let gathered = gather(self, key, &autoscaler, now);
        let Gathered {
            db, policy, profile, ..
        } = &gathered;
        let decide = || (self.parts.decide)(db, policy, profile, now);
        let decided = catch_unwind(AssertUnwindSafe(decide));
        let mut shown = view::Database {
            namespace: key.namespace.to_string(),
            name: autoscaler.database.to_string(),
            autoscaler: key.name.to_string(),
            thresholds: thresholds(policy),
            expansion_millis: u64::try_from(profile.duration.as_millis()).ok(),
            request: request(&gathered),
            last: last(&autoscaler),
            ..view::Database::default()
        };
        match decided {
            Ok(decision) => fill(&mut shown, &decision, &gathered, now),
            Err(panic) => {
                shown.decision = view::Decision {
                    at: now,
                    ..words(Reason::InternalError, panic_text(panic.as_ref()).to_owned())
                }
            }
        }
        Some(shown)
    }
}

/// What a decision says.
fn fill(shown: &mut view::Database, decision: &Decision, gathered: &Gathered, now: Timestamp) {
    let record = decision.record();
    let Record {
        at,
        reason,
        text,
        volumes,
        alternatives,
        sizing: size,
        barrier,
        notes,
    } = record;
    let to = match decision {
        Decision::Expand { to, .. } => Some(to.get()),
        Decision::Hold { .. } => None,
    };
    shown.decision = view::Decision {
        at: *at,
        to,
        alternatives: alternatives.iter().map(note).collect(),
        sizing: size.as_ref().map(sizing),
        ..words(*reason, text.clone())
    };
    shown.can_grow = barrier.is_none();
    shown.barrier = barrier.as_ref().map(|note| note.reason.as_str().to_owned());
    shown.volumes = volumes
        .iter()
        .map(|seen| volume(seen, &gathered.db, gathered, now))
        .collect();
    let soonest = forecast::soonest(record);
    shown.full_in = soonest.full_in.map(|t| t.as_secs());
    shown.rate = soonest.rate;
    shown.budget = budget(gathered, now);
    shown.notes = notes.iter().map(note).collect();
}

fn words(reason: Reason, text: String) -> view::Decision {
    view::Decision {
        reason: reason.as_str().to_owned(),
        text,
        remedy: reason.remedy().to_owned(),
        ..view::Decision::default()
    }
}

fn sizing(sizing: &Sizing) -> view::Sizing {
    let Sizing {
        base,
        rule,
        steps,
        needed,
        for_rate,
        wanted,
        caps,
        capped_by,
        to,
        fallback: _,
    } = sizing;
    view::Sizing {
        base: base.get(),
        rule: rule.clone(),
        steps: *steps,
        needed: needed.get(),
        for_rate: for_rate.get(),
        wanted: wanted.get(),
        caps: caps.iter().map(cap).collect(),
        capped_by: capped_by.as_ref().map(cap),
        to: to.get(),
        text: sizing.text(),
    }
}

fn cap(cap: &Cap) -> view::Cap {
    let Cap { reason, what, limit } = cap;
    view::Cap {
        reason: reason.as_str().to_owned(),
        what: what.clone(),
        limit: limit.get(),
    }
}

fn note(note: &Note) -> view::Note {
    view::Note {
        reason: note.reason.as_str().to_owned(),
        message: note.message(),
    }
}

fn volume(record: &VolumeRecord, db: &Database, gathered: &Gathered, now: Timestamp) -> view::Volume {
    let known = db.volumes.iter().find(|v| v.claim.name == record.claim);
    let claim = known.map(|v| &v.claim);
    let forecast = forecast::of(record);
    view::Volume {
        claim: record.claim.clone(),
        volume: gathered.volumes.get(&record.claim).map(|pv| pv.to_string()),
        storage_class: claim.map(|c| c.class.clone()).unwrap_or_default(),
        request: claim.map_or(0, |c| c.request.get()),
        size: claim.map_or(0, |c| c.capacity.get()),
        node: record.node.clone(),
        usage: record.usage.map(|u| view::Usage {
            capacity: u.capacity.get(),
            available: u.available.get(),
            used: u.used.get(),
            percent: u.percent().get(),
        }),
        inodes_percent: record.inodes.map(|p| p.get()),
        rate: forecast.rate,
        full_in: forecast.full_in.map(|t| t.as_secs()),
        lead: record.lead.map(|t| t.as_secs()),
        sampled_at: record.sampled_at,
        age: known.and_then(Volume::seen).map(|s| s.age(now).as_secs_f64()),
        reason: record.reason.as_str().to_owned(),
        text: record.text.clone(),
    }
}

/// What the provider still permits, where it counts.
fn budget(gathered: &Gathered, now: Timestamp) -> Option<view::Budget> {
    let permits = gathered.profile.modifications?;
    let past = &gathered.db.modified;
    Some(view::Budget {
        count: permits.count,
        window: permits.window.as_secs(),
        spent: u32::try_from(permits.count_spent(past, now)).unwrap_or(u32::MAX),
        next: Some(permits.ordinary(past, now)).filter(|at| *at > now),
    })
}

fn thresholds(policy: &Policy) -> Option<view::Thresholds> {
    let limits = policy.limits.as_ref().ok()?;
    Some(view::Thresholds {
        usage: limits.usage_threshold.get(),
        inodes: limits.inode_threshold.get(),
        upper_bound: limits.upper_bound.map(Bytes::get),
    })
}

fn request(gathered: &Gathered) -> Option<view::Request> {
    let open = gathered.db.open_request.as_ref()?;
    let watched = gathered.requests.iter().find(|(key, _)| *key.name == *open.name);
    let watched = watched.map(|(_, request)| request);
    Some(view::Request {
        name: open.name.clone(),
        phase: watched.map(|r| r.phase.as_str().to_owned()),
        created: watched.map(|r| r.created),
        to: watched.and_then(|r| r.to).map(Bytes::get),
    })
}

/// The growth that the status tells.
fn last(autoscaler: &Autoscaler) -> Option<view::Growth> {
    let last = autoscaler.status.read().last_decision?;
    let size = |text: &Option<String>| Bytes::parse_quantity(text.as_deref()?).ok().map(Bytes::get);
    Some(view::Growth {
        at: last.at.as_deref().and_then(|t| t.parse().ok()),
        reason: last.reason.clone().unwrap_or_default(),
        message: last.message.clone().unwrap_or_default(),
        from: size(&last.from),
        to: size(&last.to),
        request: last.request.clone().unwrap_or_default(),
    })
}
