//! What the documented detection of others would have made of a recorded fill.
//!
//! Each reads a number that somebody else refreshed before, who read it from somebody else: a row of periods. Periods and
//! thresholds are read from their sources (named with each), what their decisions see is simulated, and whatever is not
//! documented is in their favour: an expansion takes as long as ours, a decision takes no time.

use super::filler::rounded;

/// Kubelet's own numbers: each volume's are refreshed every 60 to 120 s, 90 in the middle
/// (kubernetes/kubernetes:pkg/kubelet/server/stats/volume_stat_calculator.go, `wait.JitterUntil(f, 1m, 1.0, true)`).
const KUBELET: f64 = 90.0;
const GIB: u64 = 1 << 30;

/// A way to notice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rival {
    /// Its name, with whose defaults.
    pub(super) name: &'static str,
    /// Seconds between two looks, from the one who measures to the one who decides.
    pub(super) periods: &'static [f64],
    /// It grows a volume that is more used than this.
    pub(super) threshold: f64,
    /// The next capacity.
    pub(super) growth: fn(u64) -> u64,
}

/// Those whose detection is documented, with where.
pub(super) const RIVALS: [Rival; 6] = [
    // topolvm/pvc-autoresizer:internal/runners/pvc_autoresizer.go and charts (interval 10s); kube-prometheus scrapes
    // kubelet every 30 s. Less than 10 % free; ceil_GiB(capacity + 10 %).
    Rival {
        name: "pvc-autoresizer, Helm and kube-prometheus",
        periods: &[KUBELET, 30.0, 10.0],
        threshold: 0.90,
        growth: |capacity| (capacity + capacity / 10).div_ceil(GIB) * GIB,
    },
    // gardener/pvc-autoscaler v0.3.0: interval 5m, 80 %, ceil_GiB of 10 % and at least 1 GiB more.
    Rival {
        name: "gardener pvc-autoscaler",
        periods: &[KUBELET, 30.0, 300.0],
        threshold: 0.80,
        growth: |capacity| (capacity + (capacity / 10).max(GIB)).div_ceil(GIB) * GIB,
    },
    // lorenzophys/pvc-autoscaler: interval 30 s, 80 %, 20 % and whole GiB.
    Rival {
        name: "lorenzophys pvc-autoscaler",
        periods: &[KUBELET, 30.0, 30.0],
        threshold: 0.80,
        growth: |capacity| (capacity + capacity / 5).div_ceil(GIB) * GIB,
    },
    // kubedb/installer:charts/kubedb-autoscaler/values.yaml (updateInterval 1m) and kubeops/storage-metrics-server, which
    // reads kubelet's cache once a minute; usageThreshold 80, scalingThreshold 50.
    Rival {
        name: "KubeDB and storage-metrics-server",
        periods: &[KUBELET, 60.0, 60.0],
        threshold: 0.80,
        growth: |capacity| capacity + capacity / 2,
    },
    // CrunchyData/postgres-operator: a sidecar runs df every 5 s, the operator acts on what it notes; more than 75 %, half
    // as much again.
    Rival {
        name: "Crunchy, sidecar",
        periods: &[5.0, 5.0],
        threshold: 0.75,
        growth: |capacity| capacity + capacity / 2,
    },
    // percona/percona-server-mongodb-operator: reads df in each reconciliation, every 10 s; 80 %, 2Gi more.
    Rival {
        name: "Percona MongoDB",
        periods: &[10.0],
        threshold: 0.80,
        growth: |capacity| capacity + 2 * GIB,
    },
];

/// When the volume would have been full, in seconds from the begin of `timeline`; `None` if it never would. Everybody's
/// last look before the begin was `phase` of its period ago (0 to 1).
#[must_use]
pub(super) fn full_at(
    rival: &Rival,
    timeline: &[(f64, u64)],
    capacity: u64,
    expansion: f64,
    phase: f64,
) -> Option<f64> {
    let Rival {
        periods,
        threshold,
        growth,
        ..
    } = rival;
    let (mut capacity, mut growing) = (capacity, None::<f64>);
    let decider = periods.last()?;
    let mut look = decider * (1.0 - phase);
    for (at, used) in timeline {
        // What happened between the last step and this one, in its order.
        loop {
            match growing {
                Some(ready) if ready <= *at && ready <= look => {
                    (capacity, growing) = (growth(capacity), None);
                }
                _ if look <= *at => {
                    let seen = rounded(used_at(timeline, measured(look, periods, phase)));
                    if growing.is_none() && seen > threshold * rounded(capacity) {
                        growing = Some(look + expansion);
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
        let since = (at / period + phase).rem_euclid(1.0);
        at - since * period
    })
}

/// In use at a time: what the last step before it left.
fn used_at(timeline: &[(f64, u64)], at: f64) -> u64 {
    let passed = timeline.partition_point(|(then, _)| *then <= at);
    timeline
        .get(passed.saturating_sub(1))
        .map_or(0, |(_, used)| *used)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: Rival = Rival {
        name: "a loop of ten seconds",
        periods: &[10.0],
        threshold: 0.75,
        growth: |capacity| capacity + capacity / 2,
    };

    /// 10 a second into 1000: at second 75 there are 750, which is not more than three quarters; at 80 the loop sees 800.
    fn fill(seconds: u32) -> Vec<(f64, u64)> {
        (0..=seconds).map(|s| (f64::from(s), u64::from(s) * 10)).collect()
    }

    #[test]
    fn a_loop_grows_in_time_if_the_expansion_is_quick() {
        assert_eq!(full_at(&LOOP, &fill(140), 1_000, 19.0, 0.0), None);
        assert_eq!(full_at(&LOOP, &fill(140), 1_000, 22.0, 0.0), Some(101.0));
        // Grown to 1500 at 90; 1130 are more than three quarters at 113, seen at 120, grown to 2250 at 130.
        assert_eq!(full_at(&LOOP, &fill(220), 1_000, 10.0, 0.0), None);
        // Looks at 5, 15, ... 75 sees 750, 85 sees 850: 17 s are too many.
        assert_eq!(full_at(&LOOP, &fill(140), 1_000, 17.0, 0.5), Some(101.0));
        assert_eq!(full_at(&LOOP, &fill(140), 1_000, 15.0, 0.5), None);
    }

    #[test]
    fn who_reads_what_another_measured_sees_it_late() {
        let two = Rival {
            periods: &[60.0, 10.0],
            ..LOOP
        };
        // Measured at 60 and 120: at 100 the second still sees the 600 of second 60.
        assert!((measured(119.0, two.periods, 0.0) - 60.0).abs() < 1e-9);
        assert_eq!(full_at(&two, &fill(140), 1_000, 0.0, 0.0), Some(101.0));
        // Half a period earlier: 30, 90, and 900 are seen at once.
        assert!((measured(95.0, two.periods, 0.5) - 90.0).abs() < 1e-9);
        assert_eq!(full_at(&two, &fill(140), 1_000, 4.0, 0.5), None);
    }

    #[test]
    fn what_was_before_is_what_the_fill_began_with() {
        assert_eq!(used_at(&fill(10), -5.0), 0);
        assert_eq!(used_at(&fill(10), 3.5), 30);
    }
}
