//! Puts what the sweeper observed on the board, and only what is certain to be of the volumes it is said to be of.
//!
//! When a volume is unmounted, its path leads to a directory of the node's own filesystem, and a statfs would
//! measure that. So after each sweep the mount table is asked whether it has changed since it was last read; if so,
//! it is read, which drops what is no longer mounted there, before anything is taken from the sweeper.

use std::{
    collections::BTreeSet,
    fmt, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use jiff::Timestamp;
use runtime::{clock::Clock, readiness::Gate, report::Chain, watchdog::Watchdog};

use crate::{
    board::{Board, Latest},
    metrics::Metrics,
    mount_watch::{Error, MountWatch},
    sweeper::{Listener, Observation, Sweeper},
};

/// A tick is left out if the mounts change faster than they can be read, which takes a millisecond.
const TRIES: usize = 3;

/// Tells the sweeper what is mounted.
#[derive(Debug)]
pub struct Mounts {
    watch: MountWatch,
    /// Of two readings at a time the later must win. Holds why the last one failed, for the log to tell it once.
    reading: Mutex<Option<String>>,
    /// Whether it has ever been known what is mounted.
    known: AtomicBool,
    gate: Gate,
    metrics: Metrics,
}

/// The sweeper's listener.
pub struct Collector {
    mounts: Arc<Mounts>,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    swept: Gate,
    alive: Watchdog,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    /// The first sweep is complete.
    complete: bool,
    /// The mounts have changed and could not be read since.
    unread: bool,
    /// The volumes that were stuck at the last tick, for the log to tell of each once.
    stuck: BTreeSet<String>,
}

impl Mounts {
    /// `gate` is open while it is known what is mounted below `kubelet_root`.
    ///
    /// # Errors
    /// If the mount table cannot be opened.
    pub fn new(kubelet_root: PathBuf, gate: Gate, metrics: Metrics) -> Result<Self, Error> {
        Ok(Self {
            watch: MountWatch::new(kubelet_root)?,
            reading: Mutex::default(),
            known: AtomicBool::new(false),
            gate,
            metrics,
        })
    }

    /// Keeps `sweeper` up to date on a plain thread, which waits for the kernel and is not joined.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(self: Arc<Self>, sweeper: Sweeper) -> io::Result<()> {
        let keep = move || {
            loop {
                self.refresh(&sweeper);
                if let Err(error) = self.watch.wait() {
                    tracing::error!(%error, "cannot wait for mounts");
                    thread::sleep(Duration::from_secs(1));
                }
            }
        };
        thread::Builder::new()
            .name("mounts".to_owned())
            .spawn(keep)
            .map(drop)
    }

    /// Reads what is mounted, for `sweeper` to know; whether that was possible.
    fn refresh(&self, sweeper: &Sweeper) -> bool {
        let mut failed = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.metrics.mount_reads.inc();
        match self.watch.read() {
            Ok(changed) => {
                if let Some(mounted) = changed {
                    self.metrics.malformed.set(gauge(mounted.malformed));
                    sweeper.replace(mounted.volumes);
                }
                self.known.store(true, Ordering::Release);
                self.gate.open();
                *failed = None;
            }
            // What was known stays: a root that cannot be read for a moment unmounts nothing.
            Err(error) => {
                let why = Chain(&error).to_string();
                self.gate.close(why.as_str());
                if failed.as_ref() != Some(&why) {
                    tracing::warn!(error = why, "cannot tell what is mounted");
                }
                *failed = Some(why);
            }
        }
        failed.is_none()
    }

    fn has_changed(&self) -> bool {
        self.watch.has_changed().unwrap_or(true)
    }
}

impl Collector {
    /// Collects for `board`; `swept` opens when every volume has been measured or tried once, `alive` beats.
    #[must_use]
    pub fn new(
        mounts: Arc<Mounts>,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        swept: Gate,
        alive: Watchdog,
    ) -> Self {
        Self {
            mounts,
            board,
            clock,
            metrics,
            swept,
            alive,
            told: Mutex::default(),
        }
    }

    /// What is known for certain; `None` when the mounts change too fast to tell.
    fn observe(&self, sweeper: &Sweeper) -> Option<Vec<Observation>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        certain(
            &mut told.unread,
            || sweeper.observe(),
            || self.mounts.has_changed(),
            || self.mounts.refresh(sweeper),
        )
    }

    /// Whether there is enough to tell a decider what the node has: before, silence would be taken for absence.
    fn is_complete(&self, sweeper: &Sweeper) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.complete && self.mounts.known.load(Ordering::Acquire) && sweeper.is_complete() {
            told.complete = true;
            self.swept.open();
        }
        told.complete
    }

    fn measure_ourselves(&self, latest: &Latest, now: Timestamp, sweeper: &Sweeper) {
        self.metrics.volumes.set(gauge(latest.volumes.len()));
        self.metrics.stuck.set(gauge(latest.stuck()));
        self.metrics.hot.set(gauge(latest.hot()));
        self.metrics.stranded.set(gauge(sweeper.stranded()));
        self.metrics
            .oldest
            .set(now.duration_since(latest.as_of).as_secs_f64());
    }

    fn log_stuck(&self, latest: &Latest) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck: BTreeSet<String> = latest
            .failures()
            .map(|(seen, _)| seen.volume.pv.clone())
            .collect();
        for (seen, failure) in latest
            .failures()
            .filter(|(seen, _)| !told.stuck.contains(&seen.volume.pv))
        {
            let volume = &seen.volume;
            tracing::warn!(pv = volume.pv, fs = volume.fs_type, device = %volume.device, why = %failure, "volume is stuck");
        }
        for pv in told.stuck.difference(&stuck) {
            tracing::info!(pv, "volume is no longer stuck");
        }
        told.stuck = stuck;
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Listener for Collector {
    fn tick(&self, sweeper: &Sweeper, took: Option<Duration>) {
        self.alive.beat();
        if let Some(took) = took {
            self.metrics.sweep.observe(took.as_secs_f64());
        }
        let levels = self.board.take_levels();
        if !levels.is_empty() {
            sweeper.set_levels(levels);
        }
        if !self.is_complete(sweeper) {
            return;
        }
        if let Some(seen) = self.observe(sweeper) {
            let now = self.clock.now();
            self.board.put(seen, now);
            self.board.read(|latest| {
                self.measure_ourselves(latest, now, sweeper);
                self.log_stuck(latest);
            });
        }
    }

    fn measured(&self, gap: Duration) {
        self.metrics.gap.observe(gap.as_secs_f64());
    }
}

/// What is seen while the mounts stay what they were when last read; `None` when that could not be had.
///
/// `unread` is kept from one call to the next: the mounts have changed, which is told only once, and the reading that
/// was to follow failed.
fn certain<T>(
    unread: &mut bool,
    look: impl Fn() -> T,
    has_changed: impl Fn() -> bool,
    read: impl Fn() -> bool,
) -> Option<T> {
    for _ in 0..TRIES {
        let seen = look();
        if !*unread && !has_changed() {
            return Some(seen);
        }
        *unread = !read();
        if *unread {
            return None;
        }
    }
    None
}

fn gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
