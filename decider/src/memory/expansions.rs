//! How long expansions took, by storage profile. Learned anew after a restart from the requests that are kept.

use std::{collections::HashMap, sync::Arc, time::Duration};

use api::ops::v1alpha1::Phase;
use control::watch::Key;
use decider_core::{Learned, Profile};
use jiff::Timestamp;

use crate::objects::Request;

/// Times of requests are whole seconds: what took none may have taken nearly one.
const ROUNDING: Duration = Duration::from_secs(1);

/// What was learned, and up to which request of each autoscaler. Bounded by profiles and autoscalers.
#[derive(Debug, Default)]
pub(super) struct Expansions {
    learned: HashMap<String, Learned>,
    until: HashMap<Key, Timestamp>,
}

impl Expansions {
    /// Takes in those of an autoscaler's requests that succeeded and are new; answers what to expect.
    pub(super) fn learn(
        &mut self,
        autoscaler: &Key,
        profile: &Profile,
        requests: &[(Key, Arc<Request>)],
    ) -> Duration {
        let until = self.until.get(autoscaler).copied();
        let mut new: Vec<(Timestamp, Duration)> = requests
            .iter()
            .filter(|(_, r)| r.phase == Phase::Successful)
            .filter_map(|(_, r)| Some((r.ended?, r.ended?.duration_since(r.started?))))
            .filter(|(ended, _)| until.is_none_or(|until| *ended > until))
            .filter_map(|(ended, took)| Some((ended, Duration::try_from(took).ok()?)))
            .collect();
        new.sort_unstable();
        for (ended, took) in new {
            let took = took.saturating_add(ROUNDING);
            self.learned
                .entry(profile.name.clone())
                .and_modify(|learned| *learned = learned.and(took))
                .or_insert_with(|| Learned::first(took));
            self.until.insert(autoscaler.clone(), ended);
        }
        self.learned
            .get(&profile.name)
            .map_or(profile.duration, |learned| learned.estimate())
    }

    /// The autoscaler is gone; what it taught stays.
    pub(super) fn forget(&mut self, autoscaler: &Key) {
        self.until.remove(autoscaler);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, started: i64, took: i64, phase: Phase) -> (Key, Arc<Request>) {
        let at = |second| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let request = Request {
            started: Some(at(started)),
            ended: Some(at(started + took)),
            ..Request::made(name, phase, at(started - 100))
        };
        (Key::new("demo", name), Arc::new(request))
    }

    #[test]
    fn each_success_teaches_once_and_all_of_a_profile_learn_from_it() {
        let mut expansions = Expansions::default();
        let (a, b) = (Key::new("demo", "a"), Key::new("demo", "b"));
        let profile = Profile::default();
        let failed = [request("r0", 0, 9, Phase::Failed)];
        assert_eq!(expansions.learn(&a, &profile, &failed), profile.duration);
        let one = [request("r1", 100, 3, Phase::Successful)];
        assert_eq!(expansions.learn(&a, &profile, &one), Duration::from_secs(12));
        assert_eq!(expansions.learn(&a, &profile, &one), Duration::from_secs(12));
        let two = [request("r2", 200, 3, Phase::Successful), one[0].clone()];
        assert!(expansions.learn(&a, &profile, &two) < Duration::from_secs(12));
        let known = expansions.learn(&b, &profile, &[]);
        assert!(known < Duration::from_secs(12), "{known:?}");
        let other = Profile {
            name: "other".into(),
            ..Profile::default()
        };
        assert_eq!(expansions.learn(&b, &other, &[]), other.duration);
    }
}
