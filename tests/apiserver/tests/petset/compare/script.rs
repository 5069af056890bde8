//! Scripts, made from a seed.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// A set and what is done with it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) setup: Setup,
    pub(crate) ops: Vec<Op>,
}

/// The set at first.
#[derive(Debug)]
pub(crate) struct Setup {
    replicas: i32,
    start: i32,
    parallel: bool,
    min_ready_seconds: i32,
    history: i32,
    delete_with_set: bool,
    delete_when_scaled: bool,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// So many pods.
    Scale(i32),
    /// Another image: `good:<n>`, or `bad:<n>`, which never becomes ready.
    Image(String),
    /// Rolling update down to this partition.
    Partition(i32),
    /// Replaced by whoever deletes.
    OnDelete,
    /// Delete the pod of this place, if there is one.
    DeletePod(i32),
    /// The pod of this place fails, if there is one.
    FailPod(i32),
    /// Delete the claim of this place, if there is one.
    DeleteClaim(i32),
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let setup = Setup {
            replicas: rng.random_range(0..=3),
            start: if rng.random_bool(0.2) { 3 } else { 0 },
            parallel: rng.random_bool(0.4),
            min_ready_seconds: i32::from(rng.random_bool(0.1)),
            history: rng.random_range(0..=3),
            delete_with_set: rng.random_bool(0.3),
            delete_when_scaled: rng.random_bool(0.3),
        };
        let ops = (0..rng.random_range(5..=9)).map(|n| op(&mut rng, n)).collect();
        Script { seed, setup, ops }
    }
}

fn op(rng: &mut StdRng, n: u32) -> Op {
    let place = rng.random_range(0..3);
    match rng.random_range(0..20) {
        0..=4 => Op::Scale(rng.random_range(0..=4)),
        5..=8 => Op::Image(format!("good:{}", rng.random_range(0..3))),
        9 => Op::Image(format!("bad:{n}")),
        10..=11 => Op::Partition(rng.random_range(0..=3)),
        12 => Op::OnDelete,
        13..=15 => Op::DeletePod(place),
        16..=17 => Op::FailPod(place),
        _ => Op::DeleteClaim(place),
    }
}

impl Setup {
    pub(crate) fn is_ordered(&self) -> bool {
        !self.parallel
    }

    /// Whether a pod counts only some time after it became ready.
    pub(crate) fn waits(&self) -> bool {
        self.min_ready_seconds > 0
    }

    pub(crate) fn start(&self) -> i32 {
        self.start
    }

    /// What is other than in [`crate::world::set`].
    pub(crate) fn merge(&self) -> Value {
        let keep = |delete: bool| if delete { "Delete" } else { "Retain" };
        json!({
            "replicas": self.replicas,
            "ordinals": {"start": self.start},
            "podManagementPolicy": if self.parallel { "Parallel" } else { "OrderedReady" },
            "minReadySeconds": self.min_ready_seconds,
            "revisionHistoryLimit": self.history,
            "persistentVolumeClaimRetentionPolicy":
                {"whenDeleted": keep(self.delete_with_set), "whenScaled": keep(self.delete_when_scaled)},
        })
    }
}
