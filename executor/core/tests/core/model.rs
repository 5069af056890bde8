//! A small world: the objects of one database, what an API server does with the executor's writes, and the others who
//! write: resizer, kubelet, provisioner, a user. Every action gives one next world; which comes when is the explorer's.

use executor_core::{
    Observed, Request, Step,
    observed::{Refusal, Resize, Target, Trial},
    pause, step,
};
use units::{Bytes, Reason};

use crate::fixture::at;

mod held;
mod others;

/// Beyond every deadline: later is no different.
const FAR: i64 = 1_500;

/// What may happen in a world besides the executor's steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// The user may delete the request at any time.
    pub(crate) deletes: bool,
    /// The provisioner may acknowledge the pause.
    pub(crate) acknowledges: bool,
    /// All executors may be away for longer than any deadline, once.
    pub(crate) sleeps: bool,
    /// A second executor may decide on what it sees now and write later.
    pub(crate) twin: bool,
    /// Resizer and kubelet work.
    pub(crate) storage_works: bool,
    /// The resizer may find this claim's size infeasible.
    pub(crate) infeasible: Option<usize>,
    /// The resizer may complain about this claim, and go on later.
    pub(crate) complains: Option<usize>,
    /// The API server refuses writes to these.
    pub(crate) refused: Vec<Target>,
    /// Writes to this come to nothing, as when a webhook is down: each is tried again after a while.
    pub(crate) lost: Option<Target>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) request: Option<Request>,
    /// Objects, and (trials, refusals, attempted) the executor's memory.
    pub(crate) seen: Observed,
    /// What a second executor has decided on and not yet written, with the object as it saw it.
    held: Option<(Step, Seen)>,
    slept: bool,
    /// Sizes that were ever written to a claim.
    pub(crate) patched: Vec<Bytes>,
}

/// The object a step writes to, as it was: what a resourceVersion stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen(
    Option<Request>,
    Option<executor_core::observed::Database>,
    Option<Bytes>,
    Option<executor_core::observed::Claim>,
);

impl World {
    pub(crate) fn new(request: Request, seen: Observed) -> World {
        World {
            now: 1,
            request: Some(request),
            seen,
            held: None,
            slept: false,
            patched: Vec::new(),
        }
    }

    /// The step of an executor with this memory.
    fn decide(&self, seen: &Observed) -> Option<Step> {
        let request = self.request.as_ref()?;
        Some(step(request, seen, at(self.now)))
    }

    /// Nothing of the request is left to do, and nothing is left over from it.
    pub(crate) fn is_over(&self) -> bool {
        let done = self
            .request
            .as_ref()
            .is_none_or(|r| r.record.phase.is_final() && !r.finalizer);
        done && self
            .seen
            .database
            .as_ref()
            .is_none_or(|database| database.paused.is_none())
    }

    /// Whether it is over for good: nothing is in flight either.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_over() && self.held.is_none()
    }

    /// One step of the executor: a write, a trial, a wait until its time, or the lifting of a leftover.
    pub(crate) fn executor(&self, rules: &Rules) -> Option<World> {
        let mut next = self.clone();
        match self.decide(&self.seen) {
            Some(Step::Wait(wait)) => {
                let until = wait.until?.as_second() - at(0).as_second();
                assert!(until > self.now, "waits for the past: {wait:?}");
                next.now = until;
            }
            Some(Step::Try { claim, to }) => {
                let refused = rules
                    .refused
                    .contains(&Target::Claim(claim.clone()))
                    .then(refusal);
                next.seen.trials.insert(claim, Trial { to, refused });
            }
            None | Some(Step::Done) => {
                let database = next.seen.database.as_mut()?;
                let left_over = pause::is_leftover(database, &self.queue());
                if !left_over {
                    return None;
                }
                database.paused = None;
            }
            Some(step) => {
                self.assert_allowed(&step);
                let target = step.target();
                // It is asked of these alone, and where time passes before they are written to.
                let asked = |target: &Target| {
                    matches!(target, Target::Claim(_) | Target::Pod(_))
                        && (rules.sleeps || rules.lost.is_some())
                };
                next.seen.attempted.extend(target.clone().filter(asked));
                match target {
                    Some(target) if refuses(rules, &step, &target) => {
                        next.seen.refusals.insert(target, refusal());
                    }
                    Some(target) if rules.lost.as_ref() == Some(&target) => {
                        let deleted = self.request.as_ref().and_then(|request| request.deleted);
                        let far =
                            deleted.map_or(FAR, |deleted| FAR + deleted.as_second() - at(0).as_second());
                        next.now = self.now.max(far.min(self.now + 300));
                    }
                    _ => next.write(&step),
                }
            }
        }
        Some(next)
    }

    /// Every other thing that may happen now.
    pub(crate) fn others(&self, rules: &Rules) -> Vec<(&'static str, World)> {
        let mut all = Vec::new();
        let mut add = |name, next: Option<World>| all.extend(next.map(|next| (name, next)));
        add("crash", self.crash());
        if rules.twin {
            add("twin decides", self.twin_decides());
            add("twin writes", self.twin_writes());
        }
        if rules.deletes {
            add("delete", self.delete());
        }
        if rules.acknowledges {
            add("acknowledge", self.acknowledge());
        }
        if rules.sleeps && !self.slept {
            add(
                "sleep",
                Some(World {
                    now: self.now + 1000,
                    slept: true,
                    ..self.clone()
                }),
            );
        }
        for claim in 0..self.seen.claims.len() {
            if rules.infeasible == Some(claim) {
                add(
                    "infeasible",
                    self.storage(claim, Some(Resize::ControllerInfeasible)),
                );
            }
            if rules.complains == Some(claim) {
                add(
                    "complaint",
                    self.storage(claim, Some(Resize::ControllerInProgress)),
                );
            }
            if rules.storage_works && (rules.infeasible != Some(claim)) {
                add("storage", self.storage(claim, None));
            }
        }
        all
    }

    fn queue(&self) -> Vec<executor_core::observed::Queued> {
        let queued = |request: &Request| executor_core::observed::Queued {
            name: request.name.clone(),
            uid: request.uid.clone(),
            kind: request.kind().to_owned(),
            online: true,
            created: request.created,
            phase: request.record.phase,
            deleting: request.deleted.is_some(),
            yielded: false,
            held: false,
        };
        self.request.iter().map(queued).collect()
    }

    fn crash(&self) -> Option<World> {
        let mut next = self.clone();
        next.seen.trials.clear();
        next.seen.refusals.clear();
        next.seen.attempted.clear();
        (next != *self).then_some(next)
    }

    fn twin_decides(&self) -> Option<World> {
        if self.held.is_some() {
            return None;
        }
        let step = self.decide(&self.seen)?;
        step.target()?;
        let target = self.target(&step);
        Some(World {
            held: Some((step, target)),
            ..self.clone()
        })
    }

    fn twin_writes(&self) -> Option<World> {
        let (step, seen) = self.held.clone()?;
        let mut next = World {
            held: None,
            ..self.clone()
        };
        if self.target(&step) == seen {
            next.write(&step);
        }
        Some(next)
    }

    fn target(&self, step: &Step) -> Seen {
        let mut seen = Seen(None, None, None, None);
        match step.target() {
            Some(Target::Request) => seen.0 = self.request.clone(),
            Some(Target::PostgresStatus | Target::PostgresSpec) => seen.1 = self.seen.database.clone(),
            Some(Target::PetSet) => seen.2 = self.seen.petset.as_ref().and_then(|set| set.template),
            Some(Target::Claim(name)) => {
                seen.3 = self.seen.claims.iter().find(|claim| claim.name == name).cloned();
            }
            _ => {}
        }
        seen
    }

    /// Time, state and next step, for a failure's message.
    pub(crate) fn summary(&self) -> String {
        let Some(request) = &self.request else {
            return format!("{}: the request is gone", self.now);
        };
        let step = step(request, &self.seen, at(self.now));
        let state = executor_core::state(request, &self.seen, at(self.now));
        format!("{}: {state:?}, {step:?}", self.now)
    }
}

fn refusal() -> Refusal {
    Refusal {
        reason: Reason::Refused,
        message: "no".into(),
    }
}

/// Status and finalizer of the request, and the lifting of a pause, are retried for ever; that they are refused for
/// ever is not in the model.
fn refuses(rules: &Rules, step: &Step, target: &Target) -> bool {
    !matches!(step, Step::Resume) && rules.refused.contains(target)
}
