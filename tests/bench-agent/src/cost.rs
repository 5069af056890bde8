//! What a process costs, as the kernel counts it: time on a processor of every thread, and memory.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use anyhow::Context;

/// Reads one process now and then.
#[derive(Debug)]
pub struct Meter {
    pid: u32,
    began: Instant,
    read: Instant,
    /// Time of each thread, at the first and at the last reading; the first is zero for one that came later.
    threads: BTreeMap<u32, (Duration, Duration)>,
    memory: Vec<Memory>,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    resident: u64,
    anonymous: u64,
}

/// What a process costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Share of a processor.
    pub processor: f64,
    /// Mean of its resident memory, in bytes.
    pub resident: f64,
    /// The most of it.
    pub most_resident: f64,
    /// Mean of the part that is backed by no file.
    pub anonymous: f64,
}

impl Meter {
    /// Takes the first reading.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn start(pid: u32) -> anyhow::Result<Self> {
        let now = Instant::now();
        let threads = threads(pid)?
            .into_iter()
            .map(|(thread, time)| (thread, (time, time)));
        Ok(Self {
            pid,
            began: now,
            read: now,
            threads: threads.collect(),
            memory: vec![memory(pid)?],
        })
    }

    /// Takes another reading.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn read(&mut self) -> anyhow::Result<()> {
        self.read = Instant::now();
        for (thread, time) in threads(self.pid)? {
            self.threads.entry(thread).or_default().1 = time;
        }
        self.memory.push(memory(self.pid)?);
        Ok(())
    }

    /// The cost between the first and the last reading.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let used: Duration = self
            .threads
            .values()
            .map(|(first, last)| last.saturating_sub(*first))
            .sum();
        let mean = |part: fn(&Memory) -> u64| {
            self.memory.iter().map(|memory| part(memory) as f64).sum::<f64>() / self.memory.len() as f64
        };
        Cost {
            processor: used.as_secs_f64() / self.read.saturating_duration_since(self.began).as_secs_f64(),
            resident: mean(|memory| memory.resident),
            most_resident: self
                .memory
                .iter()
                .map(|memory| memory.resident as f64)
                .fold(0.0, f64::max),
            anonymous: mean(|memory| memory.anonymous),
        }
    }
}

/// Time on a processor of each thread.
fn threads(pid: u32) -> anyhow::Result<BTreeMap<u32, Duration>> {
    let folder = format!("/proc/{pid}/task");
    let mut times = BTreeMap::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
        let path = entry?.path();
        let thread = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        // A thread may end between the two.
        if let (Some(thread), Ok(text)) = (thread, fs::read_to_string(path.join("schedstat"))) {
            times.insert(thread, on_processor(&text).context("schedstat has no number")?);
        }
    }
    Ok(times)
}

/// The first number of schedstat, in nanoseconds.
fn on_processor(schedstat: &str) -> Option<Duration> {
    Some(Duration::from_nanos(schedstat.split(' ').next()?.parse().ok()?))
}

fn memory(pid: u32) -> anyhow::Result<Memory> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let part = |name| size(&text, name).with_context(|| format!("{file} does not tell of {name}"));
    Ok(Memory {
        resident: part("Rss:")?,
        anonymous: part("Anonymous:")?,
    })
}

/// A line such as `Rss:   1616 kB`, in bytes.
fn size(smaps: &str, name: &str) -> Option<u64> {
    let line = smaps.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()
        .map(|size: u64| size << 10)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Meter, on_processor, size};

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(
            on_processor("314650 7352947 2\n"),
            Some(Duration::from_nanos(314_650))
        );
        let smaps = "55b6-7fff ---p 0 00:00 0   [rollup]\nRss:    1616 kB\nAnonymous:      116 kB\n";
        assert_eq!(
            (size(smaps, "Rss:"), size(smaps, "Anonymous:")),
            (Some(1616 << 10), Some(116 << 10))
        );
    }

    #[test]
    fn this_process_costs_something() {
        let mut meter = Meter::start(std::process::id()).unwrap();
        meter.read().unwrap();
        let cost = meter.cost();
        assert!(
            cost.processor >= 0.0 && cost.resident > cost.anonymous && cost.anonymous > 0.0,
            "{cost:?}"
        );
    }
}
