//! The figures side by side, with the bounds they are to keep at the whole size.

use std::fmt;

use super::rounds::Figures;

/// Figures by size.
#[derive(Debug, Default)]
pub struct Table(Vec<(u32, Figures)>);

/// A line: what it is called, its bound, and how it is taken from the figures.
type Line = (&'static str, &'static str, fn(&Figures) -> String);

const LINES: [Line; 26] = [
    ("agents", "", |f| f.fleet.nodes.to_string()),
    ("volumes", "", |f| f.fleet.volumes().to_string()),
    ("databases", "", |f| f.fleet.databases().to_string()),
    ("start: objects read, s", "", |f| format!("{:.1}", f.ready)),
    ("start: processor time, s", "", |f| format!("{:.1}", f.ready_cpu)),
    ("start: RSS without agents, MiB", "", |f| {
        f.objects_rss.to_string()
    }),
    ("start: peak RSS until settled, MiB", "", |f| {
        f.start_peak.to_string()
    }),
    ("steady: messages a second", "", |f| {
        format!("{:.0}", number(f.steady.messages) / f.seconds)
    }),
    ("steady: volumes that move a second", "", |f| {
        format!("{:.0}", number(f.steady.moves) / f.seconds)
    }),
    ("steady: decisions a second", "", |f| {
        format!("{:.0}", f.decisions / f.seconds)
    }),
    ("steady: statuses written a second", "", |f| {
        format!("{:.1}", number(f.statuses) / f.seconds)
    }),
    ("steady: CPU of the decider, cores", "0.2", |f| {
        format!("{:.3}", f.cores[0])
    }),
    ("steady: CPU of the agents, cores", "", |f| {
        format!("{:.3}", f.cores[1])
    }),
    ("steady: CPU of the API server, cores", "", |f| {
        format!("{:.3}", f.cores[2])
    }),
    ("steady: CPU of a mere listener, cores", "", |f| {
        format!("{:.3}", f.listener)
    }),
    ("steady: CPU, decider over mere listener", "", |f| {
        format!("{:.2}", f.cores[0] / f.listener)
    }),
    ("steady: RSS, MiB", "512", |f| f.rss.to_string()),
    ("steady: ingest p50 / p99, ms", "", |f| {
        format!("{:.1} / {:.1}", f.steady.p50, f.steady.p99)
    }),
    ("sweep: decisions alone, of one thread, ms", "100", |f| {
        format!("{:.0}", f.decisions_alone * 1e3)
    }),
    ("sweep: with gathering, of one thread, ms", "100", |f| {
        format!("{:.0}", f.sweep_thread * 1e3)
    }),
    ("sweep: until done, ms", "", |f| format!("{:.0}", f.sweep * 1e3)),
    ("sweep: ingest p50 / p99, ms", "- / 50", |f| {
        format!("{:.1} / {:.1}", f.sweeping.p50, f.sweeping.p99)
    }),
    ("reconnect: oldest hot sample, s", "5", |f| {
        format!("{:.1}", f.reconnect.hot_age)
    }),
    ("reconnect: all fresh after, s", "20", |f| {
        format!("{:.1}", f.reconnect.fresh)
    }),
    ("reconnect: peak RSS, MiB", "640", |f| {
        f.reconnect_peak.to_string()
    }),
    ("reconnect: failures, largest message", "0, 65536", |f| {
        format!("{}, {}", f.reconnect.failures, f.reconnect.largest)
    }),
];

impl Table {
    /// Adds a size.
    pub fn add(&mut self, percent: u32, figures: Figures) {
        self.0.push((percent, figures));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:42} {:>9}", "", "bound")?;
        for (percent, _) in &self.0 {
            write!(f, " {:>16}", format!("{percent} %"))?;
        }
        writeln!(f)?;
        for (name, bound, of) in LINES {
            write!(f, "{name:42} {bound:>9}")?;
            for (_, figures) in &self.0 {
                write!(f, " {:>16}", of(figures))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Counts here are far below where this is not exact.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn number(count: u64) -> f64 {
    count as f64
}
