//! The pods and their claims: which is made, which goes.
//!
//! First the pods that there shall be, then those that there shall not be, then those of another revision. Where pods
//! wait for each other, what is not done with one ends the round; else it only leaves that one out.

use jiff::Timestamp;

use super::{Claim, Delete, Object, Phase, Pod, Set, Update, history::Revisions, owners, plan::Step};

/// What one pod, or the set, comes to.
enum Verdict {
    /// This is to be written.
    Do(Step),
    /// Not done with; nothing to write before something changes.
    Wait,
    /// Done with.
    Fine,
}

/// One look at a set.
struct Round<'a> {
    set: &'a Set,
    revisions: &'a Revisions<'a>,
    now: Timestamp,
    /// The earliest time at which something changes without anyone's doing.
    until: Option<Timestamp>,
}

/// The next write, if any, and when to look again.
pub(super) fn next(
    set: &Set,
    revisions: &Revisions<'_>,
    now: Timestamp,
) -> (Option<Step>, Option<Timestamp>) {
    let mut round = Round {
        set,
        revisions,
        now,
        until: None,
    };
    let step = match round.all() {
        Verdict::Do(step) => Some(step),
        Verdict::Wait | Verdict::Fine => None,
    };
    (step, round.until)
}

impl Round<'_> {
    fn all(&mut self) -> Verdict {
        let ordered = self.set.is_ordered();
        for ordinal in self.set.ordinals() {
            match self.replica(ordinal) {
                Verdict::Wait if ordered => return Verdict::Wait,
                Verdict::Wait | Verdict::Fine => {}
                step => return step,
            }
        }
        match self.condemned() {
            Verdict::Fine => self.outdated(),
            verdict => verdict,
        }
    }

    /// A pod that there shall be.
    fn replica(&mut self, ordinal: i32) -> Verdict {
        // Held: as if there were nothing to do with it, so that the others go on.
        if self.set.hold.holds(ordinal) {
            return Verdict::Fine;
        }
        let Some(pod) = self.set.pod(ordinal) else {
            return self.missing(ordinal);
        };
        if pod.has_ended() {
            return match pod.is_terminating {
                true => Verdict::Wait,
                false => self.delete(pod, Delete::Ended),
            };
        }
        if pod.phase == Phase::Pending
            && let Verdict::Do(step) = self.claims(ordinal, |claim| pod.claims.contains(claim))
        {
            return Verdict::Do(step);
        }
        if let Some(step) = self.owners(pod) {
            return Verdict::Do(step);
        }
        if !pod.has_identity && !pod.is_terminating {
            let identify = Step::IdentifyPod {
                pod: pod.name.clone(),
                ordinal,
            };
            if let Verdict::Do(step) = self.attempt(Object::Pod(pod.name.clone()), identify) {
                return Verdict::Do(step);
            }
        }
        if pod.is_terminating || !pod.runs() || self.is_unavailable(pod) {
            Verdict::Wait
        } else {
            Verdict::Fine
        }
    }

    fn missing(&mut self, ordinal: i32) -> Verdict {
        let name = self.set.pod_name(ordinal);
        let claim = |template: &String| self.set.claim(template, ordinal);
        let mut claims = self.set.spec.templates.iter().filter_map(claim);
        if claims.any(|claim| owners::goes_with_former_pod(self.set, &name, claim)) {
            return Verdict::Wait;
        }
        match self.claims(ordinal, |_| true) {
            Verdict::Fine => {
                let revision = self.revision(ordinal).to_owned();
                self.attempt(
                    Object::Pod(name.clone()),
                    Step::CreatePod {
                        pod: name,
                        ordinal,
                        revision,
                    },
                )
            }
            verdict => verdict,
        }
    }

    /// The claims of an ordinal, as far as they are `used`.
    fn claims(&mut self, ordinal: i32, used: impl Fn(&String) -> bool) -> Verdict {
        let mut verdict = Verdict::Fine;
        for template in &self.set.spec.templates {
            let name = self.set.claim_name(template, ordinal);
            if !used(&name) {
                continue;
            }
            match self.set.claim(template, ordinal) {
                Some(claim) if claim.is_terminating => verdict = Verdict::Wait,
                Some(_) => {}
                None => {
                    let step = Step::CreateClaim {
                        claim: name.clone(),
                        template: template.clone(),
                        ordinal,
                    };
                    match self.attempt(Object::Claim(name), step) {
                        Verdict::Do(step) => return Verdict::Do(step),
                        waits => verdict = waits,
                    }
                }
            }
        }
        verdict
    }

    /// The first claim of a pod that has other owners than it shall have.
    fn owners(&mut self, pod: &Pod) -> Option<Step> {
        let claims: Vec<&Claim> = {
            let of = |template: &String| self.set.claim(template, pod.ordinal);
            self.set.spec.templates.iter().filter_map(of).collect()
        };
        for claim in claims.into_iter().filter(|claim| !claim.is_terminating) {
            if let Some(owners) = owners::wanted(self.set, pod, claim) {
                let step = Step::OwnClaim {
                    claim: claim.name.clone(),
                    ordinal: pod.ordinal,
                    owners,
                };
                if let Verdict::Do(step) = self.attempt(Object::Claim(claim.name.clone()), step) {
                    return Some(step);
                }
            }
        }
        None
    }

    /// Pods that there shall not be, the highest first. One that has ended for good waits for no other: it would never be
    /// available again, and the StatefulSet controller waits for ever where two such pods are left.
    fn condemned(&mut self) -> Verdict {
        let ordered = self.set.is_ordered();
        let mut pods: Vec<&Pod> = self
            .set
            .owned()
            .filter(|pod| !self.set.ordinals().contains(&pod.ordinal))
            .collect();
        pods.sort_by_key(|pod| std::cmp::Reverse(pod.ordinal));
        for pod in &pods {
            if let Some(step) = self.owners(pod) {
                return Verdict::Do(step);
            }
        }
        let first_unavailable = self.first_unavailable(&pods);
        for pod in pods {
            let waits = self.set.hold.holds(pod.ordinal)
                || pod.is_terminating
                || ordered
                    && !pod.has_ended()
                    && (!pod.runs() || self.is_unavailable(pod))
                    && first_unavailable != Some(pod.ordinal);
            match if waits {
                Verdict::Wait
            } else {
                self.delete(pod, Delete::ScaledDown)
            } {
                Verdict::Do(step) => return Verdict::Do(step),
                _ if ordered => return Verdict::Wait,
                _ => {}
            }
        }
        Verdict::Fine
    }

    /// The lowest ordinal whose pod is not available; of those that there shall be first.
    fn first_unavailable(&self, condemned: &[&Pod]) -> Option<i32> {
        let absent = |ordinal: &i32| {
            let pod = self.set.pod(*ordinal);
            !self.set.hold.holds(*ordinal) && pod.is_none_or(|pod| !self.is_available(pod))
        };
        let mut condemned = condemned.iter().rev();
        self.set.ordinals().find(absent).or_else(|| {
            condemned
                .find(|pod| !self.is_available(pod))
                .map(|pod| pod.ordinal)
        })
    }

    /// Pods of another revision, the highest first, each when those above it are available.
    fn outdated(&mut self) -> Verdict {
        let Update::Rolling { partition } = self.set.spec.update else {
            return Verdict::Fine;
        };
        let lowest = self.set.spec.start.saturating_add(partition.max(0));
        for ordinal in (lowest..self.set.ordinals().end).rev() {
            let pod = self.set.pod(ordinal).filter(|_| !self.set.hold.holds(ordinal));
            let Some(pod) = pod else {
                return Verdict::Wait;
            };
            if pod.revision != self.revisions.update && !pod.is_terminating {
                return self.delete(pod, Delete::Outdated);
            }
            if pod.is_terminating || self.is_unavailable(pod) {
                return Verdict::Wait;
            }
        }
        Verdict::Fine
    }

    /// The revision of a new pod: below the partition the current one.
    fn revision(&self, ordinal: i32) -> &str {
        match self.set.spec.update {
            Update::Rolling { partition } if ordinal < self.set.spec.start.saturating_add(partition) => {
                self.revisions.current
            }
            _ => self.revisions.update,
        }
    }

    fn delete(&mut self, pod: &Pod, why: Delete) -> Verdict {
        let step = Step::DeletePod {
            pod: pod.name.clone(),
            ordinal: pod.ordinal,
            why,
        };
        self.attempt(Object::Pod(pod.name.clone()), step)
    }

    /// The step, unless it failed a moment ago.
    fn attempt(&mut self, object: Object, step: Step) -> Verdict {
        match self.set.failures.get(&object).map(|failure| failure.until) {
            Some(until) if until > self.now => {
                self.look_again(until);
                Verdict::Wait
            }
            _ => Verdict::Do(step),
        }
    }

    fn is_available(&self, pod: &Pod) -> bool {
        !pod.is_terminating && pod.is_available(self.set.spec.min_ready, self.now)
    }

    /// Not available yet; if it is a matter of time only, that time is noted.
    fn is_unavailable(&mut self, pod: &Pod) -> bool {
        let from = pod.available_from(self.set.spec.min_ready);
        if let Some(from) = from.filter(|from| *from > self.now) {
            self.look_again(from);
        }
        from.is_none_or(|from| from > self.now)
    }

    fn look_again(&mut self, at: Timestamp) {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
    }
}
