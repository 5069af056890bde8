//! What there is of a set, changed by its steps as an API server would, and by a kubelet.

use jiff::{SignedDuration, Timestamp};
use provisioner_core::petset::{
    Bond, Claim, Delete, Hold, Phase, Pod, Revision, Set, Spec, Step,
    hold::{Asked, Request, judge},
    plan,
};

/// Where time begins.
pub(crate) fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A set and the time.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) set: Set,
    pub(crate) now: Timestamp,
    /// Pods made and deleted, in order: `+0`, `-2`.
    pub(crate) log: Vec<String>,
    uids: u32,
}

impl Model {
    /// A new set of `replicas` with one claim template.
    pub(crate) fn new(replicas: i32) -> Self {
        let set = Set {
            name: "web".to_owned(),
            uid: "set".to_owned(),
            generation: 1,
            spec: Spec {
                replicas,
                history_limit: Some(10),
                templates: vec!["data".to_owned()],
                ..Spec::default()
            },
            template: b"one".to_vec(),
            ..Set::default()
        };
        Self {
            set,
            now: start(),
            log: Vec::new(),
            uids: 0,
        }
    }

    /// The same after this change of the spec.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Spec)) -> Self {
        change(&mut self.set.spec);
        self
    }

    /// The next step, pods and time as they are.
    pub(crate) fn next(&self) -> Step {
        plan(&self.set, self.now)
    }

    /// Another template.
    pub(crate) fn template(&mut self, template: &str) {
        self.set.template = template.as_bytes().to_vec();
        self.set.generation += 1;
        let now = self.set.template.clone();
        for revision in &mut self.set.revisions {
            revision.is_present = revision.name.ends_with(&hash(&now));
        }
    }

    /// Another number of pods.
    pub(crate) fn scale(&mut self, replicas: i32) {
        self.set.spec.replicas = replicas;
        self.set.generation += 1;
    }

    /// Holds an ordinal for a minute.
    pub(crate) fn hold(&mut self, ordinal: i32, request: Request) {
        let asked = Asked {
            ordinal,
            request: "grow".to_owned(),
            uid: "r-1".to_owned(),
            expires: self.now + SignedDuration::from_secs(60),
        };
        self.set.hold = judge(asked, request, self.now);
    }

    /// Steps and kubelet until nothing moves, through as many waits for time as there are.
    pub(crate) fn settle(&mut self) {
        for _ in 0..500 {
            match self.next() {
                Step::Wait(until) => {
                    let moved = self.kubelet();
                    match until {
                        _ if moved => {}
                        Some(until) if until > self.now && self.set.hold.held().is_none() => self.now = until,
                        _ => return,
                    }
                }
                step => self.apply(&step),
            }
        }
        panic!("it does not settle: {:?}\n{:?}", self.log, self.set);
    }

    /// Steps until nothing is to be written; no kubelet.
    pub(crate) fn run(&mut self) -> Option<Timestamp> {
        for _ in 0..500 {
            match self.next() {
                Step::Wait(until) => return until,
                step => self.apply(&step),
            }
        }
        panic!("it writes for ever: {:?}\n{:?}", self.log, self.set);
    }

    /// Pods that wait run and are ready, and those that were deleted are gone. Whether anything moved.
    pub(crate) fn kubelet(&mut self) -> bool {
        let before = self.set.pods.clone();
        self.set.pods.retain(|pod| !pod.is_terminating);
        for pod in self.set.pods.iter_mut().filter(|pod| pod.phase == Phase::Pending) {
            ready(pod, self.now);
        }
        before != self.set.pods
    }

    pub(crate) fn pod(&mut self, ordinal: i32) -> &mut Pod {
        self.set
            .pods
            .iter_mut()
            .find(|pod| pod.ordinal == ordinal)
            .expect("a pod")
    }

    /// Ordinals with a pod, in order.
    pub(crate) fn ordinals(&self) -> Vec<i32> {
        let mut ordinals: Vec<i32> = self.set.pods.iter().map(|pod| pod.ordinal).collect();
        ordinals.sort_unstable();
        ordinals
    }

    /// Pods made and deleted since the last time.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("uid-{}", self.uids)
    }

    /// What an API server makes of a step.
    pub(crate) fn apply(&mut self, step: &Step) {
        match step.clone() {
            Step::Wait(_) => {}
            Step::AdoptRevision { name } => self.revision(&name).is_orphan = false,
            Step::CreateRevision { name, number, .. } => {
                assert!(
                    self.set.revisions.iter().all(|revision| revision.name != name),
                    "{name} is there"
                );
                self.set.revisions.push(Revision {
                    name,
                    number,
                    created: Some(self.now),
                    is_orphan: false,
                    is_present: true,
                });
            }
            Step::RenumberRevision { name, to } => self.revision(&name).number = to,
            Step::DeleteRevision { name } => self.set.revisions.retain(|revision| revision.name != name),
            Step::WriteStatus(status) => self.set.stored = *status,
            Step::AdoptPod { pod } => self.named(&pod).bond = Bond::Ours,
            Step::ReleasePod { pod } => self.set.pods.retain(|known| known.name != pod),
            Step::IdentifyPod { pod, .. } => self.named(&pod).has_identity = true,
            Step::CreatePod {
                pod,
                ordinal,
                revision,
            } => self.create(pod, ordinal, revision),
            Step::DeletePod { pod, ordinal, why } => {
                assert!(!self.set.hold.holds(ordinal), "{ordinal} is held");
                assert!(why != Delete::ScaledDown || !self.set.ordinals().contains(&ordinal));
                self.named(&pod).is_terminating = true;
                self.log.push(format!("-{ordinal}"));
            }
            Step::CreateClaim { claim, .. } => {
                assert!(
                    self.set.claims.iter().all(|known| known.name != claim),
                    "{claim} is there"
                );
                self.set.claims.push(Claim {
                    name: claim,
                    ..Claim::default()
                });
            }
            Step::OwnClaim { claim, owners, .. } => {
                let keeps =
                    !self.set.spec.retention.delete_with_set && !self.set.spec.retention.delete_when_scaled;
                let known = self
                    .set
                    .claims
                    .iter_mut()
                    .find(|known| known.name == claim)
                    .expect("a claim");
                assert!(
                    !keeps || owners.is_empty(),
                    "{claim} would be deleted: {owners:?}"
                );
                known.owners = owners;
            }
        }
    }

    fn create(&mut self, name: String, ordinal: i32, revision: String) {
        assert!(
            self.set.pods.iter().all(|pod| pod.name != name),
            "{name} is there"
        );
        assert!(!self.set.hold.holds(ordinal), "{ordinal} is held");
        assert!(self.set.ordinals().contains(&ordinal), "{ordinal} is not wanted");
        self.log.push(format!("+{ordinal}"));
        let claims = self
            .set
            .spec
            .templates
            .iter()
            .map(|template| self.set.claim_name(template, ordinal));
        let claims: Vec<_> = claims.collect();
        let there = |claim: &String| {
            self.set
                .claims
                .iter()
                .any(|known| known.name == *claim && !known.is_terminating)
        };
        assert!(claims.iter().all(there), "{name} has not its claims");
        let uid = self.uid();
        self.set.pods.push(Pod {
            name,
            uid,
            ordinal,
            revision,
            has_identity: true,
            claims,
            ..Pod::default()
        });
    }

    fn named(&mut self, pod: &str) -> &mut Pod {
        self.set
            .pods
            .iter_mut()
            .find(|known| known.name == pod)
            .expect("a pod")
    }

    fn revision(&mut self, name: &str) -> &mut Revision {
        self.set
            .revisions
            .iter_mut()
            .find(|known| known.name == name)
            .expect("a revision")
    }
}

/// Runs, and is ready since then.
pub(crate) fn ready(pod: &mut Pod, since: Timestamp) {
    pod.phase = Phase::Running;
    pod.is_ready = true;
    pod.ready_since = Some(since);
}

fn hash(template: &[u8]) -> String {
    provisioner_core::petset::revision_hash(template, 0)
}

/// Whether no hold counts.
pub(crate) fn lift(model: &mut Model) {
    model.set.hold = Hold::None;
}
