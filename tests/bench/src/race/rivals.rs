//! What the documented detection of others would have made of a recorded fill.
//!
//! Each reads a number that somebody else refreshed before, who read it from somebody else: a row of periods. Every constant
//! has the line it was read from, `owner/repository@commit:path#line`, and what that line says, and where there is no
//! source but a manual, its page. What their decisions see is simulated, and whatever is not documented is in their favour:
//! an expansion takes no more than what ours is made longer by, a decision takes no time. The space is that of the filesystem, as it is measured, and
//! the grown capacity replaces it.

/// Kubelet's own numbers: each pod's volumes are measured anew after 60 to 120 s, 90 in the middle.
/// kubernetes/kubernetes@v1.36.3:pkg/kubelet/apis/config/v1beta1/defaults.go#L165 (a minute),
/// pkg/kubelet/server/stats/volume_stat_calculator.go#L71-L73 (jittered with factor 1.0),
/// staging/src/k8s.io/apimachinery/pkg/util/wait/wait.go#L96 (up to the factor longer).
const KUBELET: f64 = 90.0;
/// Its scrape by kube-prometheus.
/// prometheus-operator/kube-prometheus@6298c1bd1381:manifests/kubernetesControlPlane-serviceMonitorKubelet.yaml#L13 (30s).
const KUBE_PROMETHEUS: f64 = 30.0;
/// Its scrape by a Prometheus that was told nothing.
/// prometheus/prometheus@0008cbeeb1a1:config/config.go#L164 (a minute).
const PROMETHEUS: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const GIB: u64 = 1 << 30;

/// A way to notice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rival {
    /// Its name, with whose defaults.
    pub(super) name: &'static str,
    /// The smallest volume that it is made for, GiB.
    pub(super) smallest: u64,
    /// Seconds between two looks, from the one who measures to the one who decides.
    periods: &'static [f64],
    /// Whether a look finds too little space.
    short: fn(Seen) -> bool,
    /// So many looks in a row must have found it.
    looks: u32,
    /// The next capacity.
    grown: fn(Seen) -> u64,
    /// Seconds from one decision to the next at least.
    cooldown: f64,
}

/// What the one who decides knows of a volume, bytes.
#[derive(Debug, Clone, Copy)]
struct Seen {
    used: u64,
    capacity: u64,
    /// So much more in use than an hour before.
    last_hour: u64,
}

impl Seen {
    fn free(self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }
}

/// Those whose detection is documented, with where.
pub(super) const RIVALS: [Rival; 12] = [
    // topolvm/pvc-autoresizer@0389b284f9fa:charts/pvc-autoresizer/values.yaml#L34 (interval 10s); @da2096f91076:
    // constants.go#L26 (threshold 10%), L32 (increase 10%), internal/runners/pvc_autoresizer.go#L219 (threshold above what is
    // available), L223 (capacity and increase, up to whole GiB), L203-L205 (one at a time). No cooldown.
    Rival {
        name: "pvc-autoresizer, Helm and kube-prometheus",
        smallest: 0,
        periods: &[KUBELET, KUBE_PROMETHEUS, 10.0],
        short: |seen| 100 * seen.free() < 10 * seen.capacity,
        looks: 1,
        grown: |seen| whole_gib(seen.capacity + seen.capacity / 10),
        cooldown: 0.0,
    },
    // The same without its chart: topolvm/pvc-autoresizer@0edd9f0fac8d:cmd/main.go#L57 (flag interval, a minute).
    Rival {
        name: "pvc-autoresizer, flag and Prometheus",
        smallest: 0,
        periods: &[KUBELET, PROMETHEUS, 60.0],
        short: |seen| 100 * seen.free() < 10 * seen.capacity,
        looks: 1,
        grown: |seen| whole_gib(seen.capacity + seen.capacity / 10),
        cooldown: 0.0,
    },
    // DevOps-Nirvana/Kubernetes-Volume-Autoscaler@766f84225622:helpers.py#L27 (interval 60), L28 (above 80 percent), L29
    // (after 5 intervals), L30 (20 percent more), L31 (at least 1000000000 bytes), L34 (cooldown 22200), L438 (percent used
    // is rounded up: more than 79 are 80), L122-L126 (the step); @e6170da0fa48:main.py#L56 (not before more than the
    // interval has passed, in whole seconds: 61), L105 (80 are enough), L128 (the fifth look in a row acts), L134 (not
    // within the cooldown).
    Rival {
        name: "Kubernetes-Volume-Autoscaler",
        smallest: 0,
        periods: &[KUBELET, KUBE_PROMETHEUS, 61.0],
        short: |seen| 100 * seen.used > 79 * seen.capacity,
        looks: 5,
        grown: |seen| seen.capacity + (seen.capacity / 5).max(1_000_000_000),
        cooldown: 22_200.0,
    },
    // gardener/pvc-autoscaler@07d2493a44aa:cmd/pvc-autoscaler/main.go#L86 (interval 5 minutes); @16dad7ecb454:
    // api/autoscaling/v1alpha1/persistentvolumeclaimautoscaler_types.go#L23 (80), L30 (step 10), L37 (at least 1Gi), L40-L43
    // (a cooldown without a default); @0039cae1cc3c:internal/periodic/periodic.go#L346 (free threshold: 100 less it), L363
    // (free percent below it), L466-L467 (the step, up to whole GiB); @4a8b816db130:internal/metrics/source/source.go#L61
    // (free percent, rounded down).
    Rival {
        name: "gardener pvc-autoscaler",
        smallest: 0,
        periods: &[KUBELET, KUBE_PROMETHEUS, 300.0],
        short: |seen| 100 * seen.free() < 20 * seen.capacity,
        looks: 1,
        grown: |seen| whole_gib(seen.capacity + (seen.capacity / 10).max(GIB)),
        cooldown: 0.0,
    },
    // lorenzophys/pvc-autoscaler@4bbdfa43f849:cmd/main.go#L23 (80%), L24 (20%), L27 (polls every 30 seconds);
    // @493fda7527bc:cmd/reconcile.go#L113 (at least the threshold), L117 (up to whole GiB). No cooldown.
    Rival {
        name: "lorenzophys pvc-autoscaler",
        smallest: 0,
        periods: &[KUBELET, KUBE_PROMETHEUS, 30.0],
        short: |seen| 100 * seen.used >= 80 * seen.capacity,
        looks: 1,
        grown: |seen| whole_gib(seen.capacity + seen.capacity / 5),
        cooldown: 0.0,
    },
    // redhat-cop/volume-expander-operator@0a6d802560ac:controllers/persistentvolumeclaim_controller.go#L51 (polls every 30
    // seconds), L52 (25 percent more), L54 (80), L117 (more than it), L126 (of what is measured, not rounded). No cooldown;
    // that it deletes the pods of an expansion which outlasts a poll is not held against it.
    Rival {
        name: "redhat-cop volume-expander-operator",
        smallest: 0,
        periods: &[KUBELET, KUBE_PROMETHEUS, 30.0],
        short: |seen| 100 * seen.used > 80 * seen.capacity,
        looks: 1,
        grown: |seen| seen.capacity * 125 / 100,
        cooldown: 0.0,
    },
    // kubedb/installer@004ef9ceba48:charts/kubedb-autoscaler/values.yaml#L22 (updateInterval 1m);
    // kubeops/storage-metrics-server@57a46f923abf:pkg/storagemetrics/options/options.go#L143 (reads kubelets every 60 s);
    // kubedb/apimachinery@6459b9bc90d7:apis/autoscaling/v1alpha1/constants.go#L36 (usage 80), L37 (scaling 50);
    // @14c39e724a9e:apis/autoscaling/v1alpha1/type.go#L110-L111 (at least the one, by the other's percent). No cooldown.
    Rival {
        name: "KubeDB and storage-metrics-server",
        smallest: 0,
        periods: &[KUBELET, 60.0, 60.0],
        short: |seen| 100 * seen.used >= 80 * seen.capacity,
        looks: 1,
        grown: |seen| seen.capacity + seen.capacity / 2,
        cooldown: 0.0,
    },
    // docs.aws.amazon.com, Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling"
    // (USER_PIOPS.Autoscaling): free space at most 10 percent of what is allocated, for at least five minutes, six hours
    // after the last modification (or later, when its storage optimization is done); more by the greatest of 10 GiB, 10
    // percent and what the growth of the past hour predicts for the next seven. elastic.co, "AWS rds metricset": RDS sends
    // its metrics to CloudWatch every minute, so that six looks in a row are five minutes. CreateDBInstance,
    // AllocatedStorage: at least 20 GiB.
    Rival {
        name: "Amazon RDS",
        smallest: 20,
        periods: &[60.0],
        short: |seen| 100 * seen.free() <= 10 * seen.capacity,
        looks: 6,
        grown: |seen| seen.capacity + (10 * GIB).max(seen.capacity / 10).max(7 * seen.last_hour),
        cooldown: 6.0 * HOUR,
    },
    // cloudplatform.googleblog.com, "Digging in on Cloud SQL automatic storage increases", and googleapis
    // datamigration_v1, CloudSqlSettings.autoStorageIncrease: the available storage is looked at every 30 seconds; when it
    // is below a threshold, as much as the threshold is added: 5 GB and a 25th of the capacity in whole GB, at most 25 GB.
    // No cooldown. So a volume of less than 5 GB is always short of space, and one of less than twice that half empty.
    Rival {
        name: "Google Cloud SQL",
        smallest: 10,
        periods: &[30.0],
        short: |seen| seen.free() < cloud_sql_step(seen.capacity),
        looks: 1,
        grown: |seen| seen.capacity + cloud_sql_step(seen.capacity),
        cooldown: 0.0,
    },
    // CrunchyData/postgres-operator@edd100f79849:internal/postgres/config.go#L192 (a sidecar's loop, 5 seconds), L209 (df
    // says more than 75), L211 (half as much again); @1a061bb96912:internal/controller/postgrescluster/watches.go#L77-L78
    // (the operator is woken by what the sidecar notes, so that nothing is added). No cooldown.
    Rival {
        name: "Crunchy, sidecar",
        smallest: 0,
        periods: &[5.0],
        short: |seen| 100 * seen.used > 75 * seen.capacity,
        looks: 1,
        grown: |seen| seen.capacity + seen.capacity / 2,
        cooldown: 0.0,
    },
    // percona/percona-server-mongodb-operator@002049222922:pkg/controller/perconaservermongodb/psmdb_controller.go#L99
    // (reconciles every 5 seconds); @32aa0f588afa:pkg/controller/perconaservermongodb/metrics_client.go#L53 (each time a df
    // in the pod), L91 (percent used, rounded down); @d027a376d53e:pkg/apis/psmdb/v1/psmdb_types.go#L937 (80), L942 (2 GiB);
    // @13393fcd51c5:pkg/controller/perconaservermongodb/volume_autoscaling.go#L184 (not below the threshold), L218 (capacity
    // and step). No cooldown.
    Rival {
        name: "Percona MongoDB",
        smallest: 0,
        periods: &[5.0],
        short: |seen| 100 * seen.used >= 80 * seen.capacity,
        looks: 1,
        grown: |seen| seen.capacity + 2 * GIB,
        cooldown: 0.0,
    },
    // ondat/discoblocks, as it was left on 2023-03-01: controllers/pvc_controller.go#L53 (looks every half minute), L227 (not
    // within the cooldown), L321 (a df in the pod at each look), L410 (not below the trigger), L415-L416 (what is asked for and
    // the step); @0c9e8a8fc479:api/v1/diskconfig_types.go#L75 (80), L94 (1Gi), L99 (5m); @9573962ba618:pkg/diskinfo/
    // diskinfo.go#L38 (df's percent, a whole number: more than 79 are 80 if it rounds up). That it leaves pods alone in
    // their first five minutes is not held against it.
    Rival {
        name: "discoblocks",
        smallest: 0,
        periods: &[30.0],
        short: |seen| 100 * seen.used > 79 * seen.capacity,
        looks: 1,
        grown: |seen| seen.capacity + GIB,
        cooldown: 300.0,
    },
];

fn whole_gib(bytes: u64) -> u64 {
    bytes.div_ceil(GIB) * GIB
}

fn cloud_sql_step(capacity: u64) -> u64 {
    (5 + capacity / (25 * GIB)).min(25) * GIB
}

/// When the volume would have been full, in seconds from the begin of `timeline`; `None` if it never would. Everybody's
/// last look before the begin was `phase` of its period ago (0 to 1), so that those who look as often as each other look at
/// once, which is in their favour, too.
#[must_use]
pub(super) fn full_at(
    rival: &Rival,
    timeline: &[(f64, u64)],
    capacity: u64,
    expansion: f64,
    phase: f64,
) -> Option<f64> {
    let decider = rival.periods.last()?;
    let (mut capacity, mut growing) = (capacity, None::<(f64, u64)>);
    let (mut look, mut found, mut rested) = (decider * (1.0 - phase), 0, f64::NEG_INFINITY);
    for (at, used) in timeline {
        // What happened between the last step and this one, in its order.
        loop {
            match growing {
                Some((ready, grown)) if ready <= *at && ready <= look => {
                    (capacity, growing) = (grown, None);
                }
                _ if look <= *at => {
                    let seen = seen(timeline, measured(look, rival.periods, phase), capacity);
                    found = if (rival.short)(seen) { found + 1 } else { 0 };
                    if growing.is_none() && found >= rival.looks && look >= rested {
                        growing = Some((look + expansion, (rival.grown)(seen)));
                        rested = look + rival.cooldown;
                    }
                    look += decider;
                }
                _ => break,
            }
        }
        if *used > capacity {
            return Some(*at);
        }
    }
    None
}

/// When the number was measured that the one who decides sees at this time.
fn measured(look: f64, periods: &[f64], phase: f64) -> f64 {
    let before = periods.iter().rev().skip(1);
    before.fold(look, |at, period| {
        let turns = at / period + phase;
        // Who looks in the moment of a measurement sees it, whatever is lost in the last digit.
        let since = turns - (turns + 1e-9).floor();
        at - since.max(0.0) * period
    })
}

/// What a measurement at this time finds.
fn seen(timeline: &[(f64, u64)], at: f64, capacity: u64) -> Seen {
    let used = used_at(timeline, at);
    Seen {
        used,
        capacity,
        last_hour: used.saturating_sub(used_at(timeline, at - HOUR)),
    }
}

/// In use at a time: what the last step before it left.
fn used_at(timeline: &[(f64, u64)], at: f64) -> u64 {
    let passed = timeline.partition_point(|(then, _)| *then <= at);
    timeline
        .get(passed.saturating_sub(1))
        .map_or(0, |(_, used)| *used)
}

#[cfg(test)]
mod tests;
