//! How the fleet stands: gauges that follow each autoscaler's last decision. Both replicas count, so that whoever adds up takes
//! the maximum of the replicas, not their sum.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use units::Reason;

use super::{ReasonLabel, label};

/// A database that is full sooner is full before anybody who is called has looked.
pub(crate) const SOON: Duration = Duration::from_secs(3_600);

/// How one autoscaler stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Of its last decision.
    pub(crate) reason: Reason,
    /// What keeps it from growing if it had to.
    pub(crate) barrier: Option<Reason>,
    /// A volume is full within [`SOON`].
    pub(crate) full_soon: bool,
    /// Volumes whose numbers are too old.
    pub(crate) stale: u32,
}

#[derive(Debug, Default)]
pub(super) struct Fleet {
    autoscalers: Family<ReasonLabel, Gauge>,
    barriers: Family<ReasonLabel, Gauge>,
    full_soon: Family<CanGrowLabel, Gauge>,
    stale: Gauge,
    pub(super) oldest_growth: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CanGrowLabel {
    can_grow: &'static str,
}

impl Fleet {
    pub(super) fn register(r: &mut Registry) -> Self {
        let fleet = Self::default();
        r.register(
            "autoscalers",
            "PostgresAutoscalers, by the reason of their last decision",
            fleet.autoscalers.clone(),
        );
        r.register(
            "barriers",
            "PostgresAutoscalers that could not grow their volumes if they had to, by what keeps them from it",
            fleet.barriers.clone(),
        );
        r.register(
            "full_within_hour",
            "PostgresAutoscalers with a volume that is full within an hour at its present rate, by whether it can grow",
            fleet.full_soon.clone(),
        );
        r.register(
            "volumes_stale",
            "Volumes of PostgresAutoscalers whose measurement is too old to act upon",
            fleet.stale.clone(),
        );
        r.register(
            "oldest_growth_seconds",
            "Age of the oldest VolumeExpansion request that is not finished; 0 without one",
            fleet.oldest_growth.clone(),
        );
        // An alert must tell 0 from not there.
        for can_grow in ["yes", "no"] {
            drop(fleet.full_soon.get_or_create(&CanGrowLabel { can_grow }));
        }
        fleet
    }

    /// An autoscaler went from one standing to another; `None` is not there.
    pub(super) fn moved(&self, from: Option<&Standing>, to: Option<&Standing>) {
        if from == to {
            return;
        }
        from.iter().for_each(|standing| self.count(standing, -1));
        to.iter().for_each(|standing| self.count(standing, 1));
    }

    fn count(&self, standing: &Standing, by: i64) {
        let Standing {
            reason,
            barrier,
            full_soon,
            stale,
        } = standing;
        self.autoscalers.get_or_create(&label(*reason)).inc_by(by);
        if let Some(barrier) = barrier {
            self.barriers.get_or_create(&label(*barrier)).inc_by(by);
        }
        if *full_soon {
            let can_grow = if barrier.is_none() { "yes" } else { "no" };
            self.full_soon
                .get_or_create(&CanGrowLabel { can_grow })
                .inc_by(by);
        }
        self.stale.inc_by(by * i64::from(*stale));
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn gauges_follow_each_autoscaler() {
        let mut registry = Registry::default();
        let fleet = Fleet::register(&mut registry);
        let has = |line: &str| {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text.lines().any(|l| l == line)
        };
        assert!(has("full_within_hour{can_grow=\"no\"} 0"), "0 is told, too");
        let below = Standing {
            reason: Reason::BelowThreshold,
            barrier: None,
            full_soon: false,
            stale: 0,
        };
        let stuck = Standing {
            reason: Reason::Stale,
            barrier: Some(Reason::QuotaExceeded),
            full_soon: true,
            stale: 3,
        };
        fleet.moved(None, Some(&below));
        fleet.moved(Some(&below), Some(&stuck));
        for line in [
            "autoscalers{reason=\"BelowThreshold\"} 0",
            "autoscalers{reason=\"Stale\"} 1",
            "barriers{reason=\"QuotaExceeded\"} 1",
            "full_within_hour{can_grow=\"no\"} 1",
            "volumes_stale 3",
        ] {
            assert!(has(line), "{line}");
        }
        fleet.moved(Some(&stuck), None);
        assert!(has("volumes_stale 0") && has("full_within_hour{can_grow=\"no\"} 0"));
    }
}
