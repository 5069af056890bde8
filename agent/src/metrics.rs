//! What the agent tells of itself. Names begin with `highwater_agent_`.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

type Seconds = Gauge<f64, AtomicU64>;
type SecondsSpent = Counter<f64, AtomicU64>;

/// Sweeps of a hundred local filesystems take tenths of a millisecond; one with a dead server as long as it takes.
const SWEEP_BUCKETS: [f64; 10] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
/// Around the periods of a hot volume and of one second, with the promised 1.5 as a border.
const GAP_BUCKETS: [f64; 11] = [0.15, 0.5, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0];

/// All metrics of the agent; clones are the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Volumes that are mounted and known.
    pub volumes: Gauge,
    /// Those of them without current numbers.
    pub stuck: Gauge,
    /// Those that are measured more often: soon full, or about to cross a level.
    pub hot: Gauge,
    /// Calls of statfs that were left behind.
    pub stranded: Gauge,
    /// Lines of the mount table that could not be understood.
    pub malformed: Gauge,
    /// Readings of the mount table.
    pub mount_reads: Counter,
    /// Duration of sweeps.
    pub sweep: Histogram,
    /// Times between two measurements of one volume.
    pub gap: Histogram,
    /// Age of the oldest measurement among the volumes that are not stuck.
    pub oldest: Seconds,
    /// Streams that are open.
    pub streams: Gauge,
    /// Streams that have been opened.
    pub connects: Counter,
    /// Streams that broke or could not be opened.
    pub disconnects: Counter,
    /// Messages sent.
    pub messages: Counter,
    /// Processor time of this process.
    pub cpu: SecondsSpent,
    /// Resident memory of this process.
    pub memory: Gauge,
}

impl Metrics {
    /// Registers all of them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            volumes: Gauge::default(),
            stuck: Gauge::default(),
            hot: Gauge::default(),
            stranded: Gauge::default(),
            malformed: Gauge::default(),
            mount_reads: Counter::default(),
            sweep: Histogram::new(SWEEP_BUCKETS),
            gap: Histogram::new(GAP_BUCKETS),
            oldest: Seconds::default(),
            streams: Gauge::default(),
            connects: Counter::default(),
            disconnects: Counter::default(),
            messages: Counter::default(),
            cpu: SecondsSpent::default(),
            memory: Gauge::default(),
        };
        metrics.register_volumes(registry);
        metrics.register_process(registry);
        metrics
    }

    fn register_volumes(&self, to: &mut Registry) {
        let s = Unit::Seconds;
        to.register("volumes", "Mounted persistent volumes", self.volumes.clone());
        to.register(
            "volumes_stuck",
            "Volumes whose statfs does not answer, or fails",
            self.stuck.clone(),
        );
        to.register(
            "volumes_hot",
            "Volumes measured ten times as often: full within a minute, or close to a threshold",
            self.hot.clone(),
        );
        to.register(
            "statfs_stranded",
            "Calls of statfs left behind because they do not return",
            self.stranded.clone(),
        );
        to.register(
            "mountinfo_malformed_lines",
            "Lines of the mount table not understood",
            self.malformed.clone(),
        );
        to.register(
            "mountinfo_reads",
            "Readings of the mount table",
            self.mount_reads.clone(),
        );
        to.register_with_unit(
            "sweep",
            "Duration of one sweep over the volumes",
            s.clone(),
            self.sweep.clone(),
        );
        to.register_with_unit(
            "gap",
            "Time between two measurements of a volume",
            s.clone(),
            self.gap.clone(),
        );
        let help = "Age of the oldest measurement among volumes that are not stuck";
        to.register_with_unit("oldest_measurement", help, s, self.oldest.clone());
    }

    fn register_process(&self, to: &mut Registry) {
        to.register(
            "streams",
            "Open streams, one for each decider replica",
            self.streams.clone(),
        );
        to.register("connects", "Streams opened", self.connects.clone());
        to.register(
            "disconnects",
            "Streams that broke or could not be opened",
            self.disconnects.clone(),
        );
        to.register("messages", "Messages sent to deciders", self.messages.clone());
        let help = "Processor time used by this process";
        to.register_with_unit("cpu", help, Unit::Seconds, self.cpu.clone());
        to.register_with_unit(
            "resident_memory",
            "Memory of this process",
            Unit::Bytes,
            self.memory.clone(),
        );
    }
}

/// Reads what the process itself costs.
#[derive(Debug)]
pub struct OwnCost {
    /// None where the system does not tell.
    system: Option<System>,
    pid: Pid,
}

impl OwnCost {
    /// For this process.
    #[must_use]
    pub fn new() -> Self {
        Self {
            system: System::new()
                .inspect_err(|error| tracing::warn!(%error, "the own cost is unknown"))
                .ok(),
            pid: Pid::from_u32(std::process::id()),
        }
    }

    /// Reads it and sets the metrics. Costs a read of a few files in /proc: not to be done often.
    pub fn read(&mut self, metrics: &Metrics) {
        let kind = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .without_tasks();
        let Some(system) = &mut self.system else {
            return;
        };
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, kind);
        if let Some(process) = system.process(self.pid) {
            let used = Duration::from_millis(process.accumulated_cpu_time()).as_secs_f64();
            metrics.cpu.inc_by((used - metrics.cpu.get()).max(0.0));
            metrics
                .memory
                .set(i64::try_from(process.memory()).unwrap_or(i64::MAX));
        }
    }
}

impl Default for OwnCost {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode, registry::Registry};
    use runtime::metrics_page;

    use super::{Metrics, OwnCost};

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_agent");
        let _metrics = Metrics::register(&mut registry);
        let page = include_str!("../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "## Agent")
        );
    }

    #[test]
    fn the_process_knows_its_cost() {
        let mut registry = Registry::with_prefix("highwater_agent");
        let metrics = Metrics::register(&mut registry);
        OwnCost::new().read(&metrics);
        assert!(metrics.memory.get() > 1 << 20, "{}", metrics.memory.get());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for name in [
            "highwater_agent_volumes_stuck 0",
            "highwater_agent_volumes_hot 0",
            "highwater_agent_cpu_seconds_total ",
            "highwater_agent_gap_seconds_bucket",
        ] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn processor_time_is_what_it_is_however_often_it_is_read() {
        let [often, once] = [(); 2].map(|()| Metrics::register(&mut Registry::default()));
        let mut cost = OwnCost::new();
        // Reading takes some.
        while often.cpu.get() < 0.05 {
            cost.read(&often);
        }
        cost.read(&once);
        let (often, once) = (often.cpu.get(), once.cpu.get());
        assert!(often < once + 0.001, "{often} {once}");
    }
}
