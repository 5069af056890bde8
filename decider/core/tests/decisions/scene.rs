//! A healthy database over its threshold, to be spoilt in one place by each test.

use std::time::Duration;

use decider_core::{
    Claim, Database, Decision, Policy, PolicySpec, Profile, Raw, Resize, RuleSpec, Sample, Seen, Trend,
    Usage, Volume, decide,
};
use jiff::Timestamp;
use units::{Bytes, Reason};

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(10);

pub(crate) fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("an instant")
}

pub(crate) fn seconds_ago(seconds: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(seconds)
}

/// Everything `decide` takes.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) db: Database,
    pub(crate) spec: PolicySpec,
    pub(crate) profile: Profile,
}

impl Scene {
    pub(crate) fn decide(&self) -> Decision {
        decide(
            &self.db,
            &Policy::read(&self.spec, STALE_AFTER),
            &self.profile,
            now(),
        )
    }

    pub(crate) fn barrier(&self) -> Option<Reason> {
        self.decide().record().barrier.as_ref().map(|note| note.reason)
    }

    pub(crate) fn reason(&self) -> Reason {
        self.decide().reason()
    }

    /// The size decided for.
    pub(crate) fn to(&self) -> Bytes {
        match self.decide() {
            Decision::Expand { to, .. } => to,
            Decision::Hold { record, .. } => panic!("held: {} {}", record.reason, record.text),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.decide().record().text.clone()
    }
}

pub(crate) fn spec() -> PolicySpec {
    PolicySpec {
        trigger: Some("On".into()),
        ..PolicySpec::default()
    }
}

pub(crate) fn rules(pairs: &[(&str, &str)]) -> Vec<RuleSpec> {
    pairs
        .iter()
        .map(|(u, t)| RuleSpec {
            applies_upto: (*u).into(),
            threshold: (*t).into(),
        })
        .collect()
}

pub(crate) fn sample(capacity: u64, used: u64) -> Sample {
    let raw = Raw {
        capacity,
        available: capacity - used,
        used,
        inodes_total: 0,
        inodes_free: 0,
        read_only: false,
        sampled_at: seconds_ago(1),
    };
    Sample::check(raw, now()).expect("a believable sample")
}

pub(crate) fn seen(sample: Sample) -> Seen {
    Seen {
        sample,
        as_of: sample.sampled_at,
        trend: Trend::default(),
        node: "node-1".into(),
        fixed_inodes: false,
        network: false,
        shared: false,
        stuck: None,
    }
}

/// A settled volume: claim, device and filesystem of one size.
pub(crate) fn volume(ordinal: usize, size: u64, used: u64) -> Volume {
    Volume {
        claim: Claim {
            name: format!("data-pg-{ordinal}"),
            request: Bytes::new(size),
            capacity: Bytes::new(size),
            device: Bytes::new(size),
            charged: Bytes::new(size),
            mounted: true,
            class: "standard".into(),
            expandable: true,
            other_controller: None,
        },
        usage: Usage::Seen(seen(sample(size, used))),
        resize: Resize::Settled,
        before_growth: None,
    }
}

pub(crate) fn database(volumes: Vec<Volume>) -> Database {
    Database::of("demo/pg", volumes)
}

/// One volume of 1 GiB, 85 % used; everything else in order: it expands.
pub(crate) fn full() -> Scene {
    Scene {
        db: database(vec![volume(0, GIB, GIB * 85 / 100)]),
        spec: spec(),
        profile: Profile::default(),
    }
}

/// The measurement of the first volume.
pub(crate) fn first_seen(scene: &mut Scene) -> &mut Seen {
    match &mut scene.db.volumes[0].usage {
        Usage::Seen(seen) => seen,
        other => panic!("not seen: {other:?}"),
    }
}
