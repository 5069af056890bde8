//! The threads that carry out a [`Schedule`]: workers, which measure, and the watchdog, which replaces them.
//!
//! All are detached and never joined: one that waits for a dead server must not hold up the end of the process.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use runtime::clock::Clock;

use super::{
    Failure, Listener, Measurement, Observation, monotonic,
    schedule::{HAND_OVER, Lane, Schedule, Step, WorkerId},
};
use crate::{statfs::StatFs, volumes::Volume};

/// A worker's stack; it calls statfs and takes notes.
const STACK: usize = 256 << 10;

/// The sweeper's pace.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Each volume is measured once in this time.
    pub period: Duration,
    /// A call that takes longer than this makes its volume [`Failure::Late`] at its next turn.
    pub deadline: Duration,
}

/// Makes the means by which one worker measures.
pub type MakeStatFs = Box<dyn Fn() -> Arc<dyn StatFs> + Send + Sync>;

/// Handle to the threads; clones are the same sweeper.
#[derive(Clone)]
pub struct Sweeper(Arc<Shared>);

struct Shared {
    period: Duration,
    state: Mutex<State>,
    /// Wakes workers: there may be something due.
    work: Condvar,
    /// Wakes the watchdog: a sweep has begun or ended.
    watch: Condvar,
    clock: Arc<dyn Clock>,
    trusted: MakeStatFs,
    doubtful: MakeStatFs,
    listener: Box<dyn Listener>,
}

struct State {
    schedule: Schedule,
    /// What the workers measure with, for their calls to be aborted.
    tools: BTreeMap<WorkerId, Arc<dyn StatFs>>,
    /// Workers whose threads could not be started yet.
    wanted: Vec<(WorkerId, Lane)>,
    /// Duration of the last sweep, until it has been told.
    swept: Option<Duration>,
    stopped: bool,
}

impl Sweeper {
    /// Starts the threads; there is nothing to measure until [`Sweeper::replace`].
    ///
    /// `trusted` measures filesystems that answer from memory, `doubtful` all others.
    ///
    /// # Errors
    /// If the watchdog's thread cannot be started.
    pub fn start(
        settings: Settings,
        clock: Arc<dyn Clock>,
        trusted: MakeStatFs,
        doubtful: MakeStatFs,
        listener: Box<dyn Listener>,
    ) -> io::Result<Self> {
        let Settings { period, deadline } = settings;
        let schedule = Schedule::new(period, deadline, monotonic());
        let state = State {
            wanted: schedule.first_workers().to_vec(),
            schedule,
            tools: BTreeMap::new(),
            swept: None,
            stopped: false,
        };
        let sweeper = Self(Arc::new(Shared {
            period,
            state: Mutex::new(state),
            work: Condvar::new(),
            watch: Condvar::new(),
            clock,
            trusted,
            doubtful,
            listener,
        }));
        let watchdog = sweeper.clone();
        spawn("watchdog", move || watchdog.watch())?;
        Ok(sweeper)
    }

    /// Sets the volumes to measure.
    pub fn replace(&self, volumes: Vec<Volume>) {
        self.0.lock().schedule.replace(volumes, monotonic());
        self.0.work.notify_all();
    }

    /// Sets the values of `used` of some volumes whose crossing a decider waits for, by name.
    pub fn set_levels(&self, levels: BTreeMap<String, Vec<u64>>) {
        self.0.lock().schedule.set_levels(levels);
    }

    /// What is known of each volume, by name; those being measured for the first time are left out.
    #[must_use]
    pub fn observe(&self) -> Vec<Observation> {
        self.0.lock().schedule.observe(monotonic())
    }

    /// Whether every volume has been measured, or tried in vain.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.lock().schedule.is_complete(monotonic())
    }

    /// Number of calls that have not returned and were left behind.
    #[must_use]
    pub fn stranded(&self) -> usize {
        self.0.lock().schedule.stranded()
    }

    /// Ends all threads that are not in a call; does not wait.
    pub fn stop(&self) {
        self.0.lock().stopped = true;
        self.0.work.notify_all();
        self.0.watch.notify_all();
    }

    // === worker ===

    fn work(&self, worker: WorkerId, lane: Lane) {
        let tool = match lane {
            Lane::Trusted | Lane::Hot => (self.0.trusted)(),
            Lane::Doubtful => (self.0.doubtful)(),
        };
        let mut state = self.0.lock();
        state.tools.insert(worker, Arc::clone(&tool));
        let mut sweep: Option<Instant> = None;
        while !state.stopped {
            let now = monotonic();
            match state.schedule.next(worker, now) {
                Step::Retire => break,
                Step::Wait(until) => {
                    self.swept(&mut state, sweep.take(), now);
                    state = wait(&self.0.work, state, until);
                }
                Step::Measure(volume) => {
                    if sweep.is_none() {
                        sweep = Some(now);
                        self.0.watch.notify_one();
                    }
                    drop(state);
                    let outcome = measure(&*tool, &*self.0.clock, &volume.path);
                    state = self.0.lock();
                    let finished = state.schedule.finish(worker, outcome, monotonic());
                    if let Some(gap) = finished.as_ref().and_then(|finished| finished.gap) {
                        self.0.listener.measured(gap);
                    }
                    let wake = finished.is_none_or(|finished| finished.wake);
                    // The device is free again, and its volumes may have changed lanes.
                    if wake || lane == Lane::Doubtful || now.elapsed() > HAND_OVER {
                        self.0.work.notify_all();
                    }
                }
            }
        }
        state.tools.remove(&worker);
        self.swept(&mut state, sweep, monotonic());
    }

    fn swept(&self, state: &mut State, began: Option<Instant>, now: Instant) {
        if let Some(began) = began {
            state.swept = Some(now.saturating_duration_since(began));
            self.0.watch.notify_one();
        }
    }

    // === watchdog ===

    fn watch(&self) {
        let mut tick_due = monotonic() + self.0.period;
        let mut state = self.0.lock();
        while !state.stopped {
            let now = monotonic();
            let overdue = state.schedule.overdue(now);
            state.wanted.extend(overdue.start);
            self.start_wanted(&mut state);
            let abort: Vec<_> = overdue
                .abort
                .iter()
                .filter_map(|worker| state.tools.get(worker).cloned())
                .collect();
            let swept = state.swept.take();
            let tick = swept.is_some() || now >= tick_due;
            if abort.is_empty() && !tick {
                let next = overdue.next.map_or(tick_due, |next| next.min(tick_due));
                state = wait(&self.0.watch, state, Some(next));
                continue;
            }
            drop(state);
            abort.iter().for_each(|tool| tool.abort());
            if tick {
                // A sweep that ends a little later than the one before is not to be told twice.
                tick_due = now + self.0.period + HAND_OVER;
                self.0.listener.tick(self, swept);
            }
            state = self.0.lock();
        }
    }

    /// Threads that cannot be started now are tried again at the next tick.
    fn start_wanted(&self, state: &mut State) {
        state.wanted.retain(|&(worker, lane)| {
            let sweeper = self.clone();
            spawn("sweeper", move || sweeper.work(worker, lane))
                .inspect_err(|error| tracing::error!(%error, "cannot start a thread"))
                .is_err()
        });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}

fn measure(tool: &dyn StatFs, clock: &dyn Clock, path: &Path) -> Result<Measurement, Failure> {
    let (at, began) = (clock.now(), monotonic());
    match tool.statfs(path) {
        Ok(usage) if usage.capacity == 0 => Err(Failure::NoSize),
        Ok(usage) => Ok(Measurement {
            at,
            took: began.elapsed(),
            usage,
        }),
        // A soft-mounted NFS has an ETIMEDOUT of its own.
        Err(error) if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() => {
            Err(Failure::Aborted)
        }
        Err(error) => Err(Failure::Errno(error.raw_os_error().unwrap_or(0))),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map(drop)
}

fn wait<'a>(
    condvar: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
) -> MutexGuard<'a, State> {
    match until {
        None => condvar.wait(state).unwrap_or_else(PoisonError::into_inner),
        Some(until) => {
            let timeout = until.saturating_duration_since(monotonic());
            condvar
                .wait_timeout(state, timeout)
                .unwrap_or_else(PoisonError::into_inner)
                .0
        }
    }
}

#[cfg(test)]
mod tests;
