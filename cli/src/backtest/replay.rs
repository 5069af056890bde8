//! One database, replayed: the recording says what was used, decisions say how large the volumes are.

mod scene;

use std::{collections::BTreeMap, time::Duration};

use decider_core::{Decision, Policy, Profile, decide};
use jiff::Timestamp;
use serde::Serialize;
use units::{Bytes, Reason};

use super::{Reading, policy::Rules};
use scene::Scene;

/// A decider looks at least so often at a database that is not simply below its thresholds.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A month of providers' price lists.
const HOURS_A_MONTH: f64 = 730.0;

/// What came of a replay.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// `namespace/name`.
    pub database: String,
    /// First measurement.
    pub from: Timestamp,
    /// Last measurement.
    pub to: Timestamp,
    /// Measurements.
    pub readings: usize,
    /// Growths that would have been asked for.
    pub growths: Vec<Growth>,
    /// Times at which a volume would have been full.
    pub full: Vec<Full>,
    /// What kept it from growing, by reason.
    pub held: BTreeMap<&'static str, Held>,
    /// How often the provider's modifications were used up when it had to grow.
    pub budget_hits: u32,
    /// The fullest that a volume was, in percent.
    pub highest: u8,
    /// Size of the largest volume at the end.
    pub size: u64,
    /// Paid for and not used, over all volumes.
    pub gib_months_unused: f64,
}

/// A growth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    /// When it was decided.
    pub at: Timestamp,
    /// Size before.
    pub from: u64,
    /// Size asked for.
    pub to: u64,
    /// What made it necessary.
    pub reason: &'static str,
    /// The arithmetic.
    pub message: String,
}

/// A volume that would have been full.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Full {
    /// The claim.
    pub claim: String,
    /// Since when.
    pub at: Timestamp,
    /// For how long.
    pub seconds: f64,
}

/// A reason that kept a database from growing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// How often it began.
    pub times: u32,
    /// For how long in all.
    pub seconds: f64,
}

/// A replay under way.
struct Replay<'a> {
    scene: Scene,
    policy: &'a Policy,
    /// With the time that an expansion is reckoned to take now.
    profile: Profile,
    expansion: Duration,
    now: Timestamp,
    reason: Option<Reason>,
    unused: f64,
    outcome: Outcome,
}

/// Replays readings, which are in the order of time.
pub(super) fn replay(name: &str, readings: Vec<Reading>, rules: &Rules, expansion: Duration) -> Outcome {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return Outcome::default();
    };
    let (from, to) = (first.at, last.at);
    let mut replay = Replay {
        scene: Scene::new(name),
        policy: &rules.policy,
        profile: rules.profile.clone(),
        expansion,
        now: from,
        reason: None,
        unused: 0.0,
        outcome: Outcome {
            database: name.to_owned(),
            from,
            to,
            readings: readings.len(),
            ..Outcome::default()
        },
    };
    for reading in readings {
        replay.advance(reading.at);
        if !rules.of_driver {
            replay.reckon(reading.expansion_millis);
        }
        replay.scene.take(reading);
        replay.look();
    }
    replay.outcome.size = replay.scene.size().get();
    replay.outcome.gib_months_unused = replay.unused / HOURS_A_MONTH;
    replay.outcome
}

impl Replay<'_> {
    /// Goes on to `at`, and looks at what happens by itself until then.
    fn advance(&mut self, at: Timestamp) {
        while let Some(next) = self.next_event().filter(|next| *next <= at) {
            self.pass(next);
            self.scene.finish(next);
            self.look();
        }
        self.pass(at);
    }

    /// When something happens without a measurement: a growth is done, or the decider looks again.
    fn next_event(&self) -> Option<Timestamp> {
        let waits = self.reason.is_some_and(|reason| reason != Reason::BelowThreshold);
        let again = self.now.checked_add(LOOK_AGAIN).ok().filter(|_| waits);
        self.scene.ready().into_iter().chain(again).min()
    }

    /// Time passes: all that is, lasts.
    fn pass(&mut self, at: Timestamp) {
        let seconds = at.duration_since(self.now).as_secs_f64();
        self.unused += self.scene.unused_gib() * seconds / 3_600.0;
        if let Some(held) = self.reason.filter(|r| holds_back(*r)) {
            self.outcome.held.entry(held.as_str()).or_default().seconds += seconds;
        }
        for claim in self.scene.full() {
            let mut of_claim = self.outcome.full.iter_mut().rev();
            if let Some(full) = of_claim.find(|f| f.claim == claim) {
                full.seconds += seconds;
            }
        }
        self.now = at;
    }

    /// The recording knows what the decider had learned.
    fn reckon(&mut self, expansion_millis: Option<u64>) {
        if let Some(millis) = expansion_millis {
            self.profile.duration = Duration::from_millis(millis);
        }
    }

    /// One look of the decider.
    fn look(&mut self) {
        for claim in self.scene.newly_full() {
            let full = Full {
                claim,
                at: self.now,
                seconds: 0.0,
            };
            self.outcome.full.push(full);
        }
        self.outcome.highest = self.outcome.highest.max(self.scene.highest());
        let database = self.scene.database(self.now);
        let decision = decide(&database, self.policy, &self.profile, self.now);
        let reason = decision.reason();
        if self.reason != Some(reason) && holds_back(reason) {
            self.outcome.held.entry(reason.as_str()).or_default().times += 1;
            self.outcome.budget_hits += u32::from(reason == Reason::BudgetSpent);
        }
        self.reason = Some(reason);
        if let Decision::Expand { to, base, record, .. } = decision {
            self.grow(base, to, reason, record.text);
        }
    }

    fn grow(&mut self, from: Bytes, to: Bytes, reason: Reason, message: String) {
        self.outcome.growths.push(Growth {
            at: self.now,
            from: from.get(),
            to: to.get(),
            reason: reason.as_str(),
            message,
        });
        let ready = self.now.checked_add(self.expansion).unwrap_or(Timestamp::MAX);
        self.scene.grow(from, to, self.now, ready);
    }
}

/// Reasons that keep a database that ought to grow from growing; not those of one that need not, or that grows.
const fn holds_back(reason: Reason) -> bool {
    !reason.is_trigger()
        && !matches!(
            reason,
            Reason::BelowThreshold | Reason::RequestOpen | Reason::ResizeInFlight | Reason::NotFollowed
        )
}
