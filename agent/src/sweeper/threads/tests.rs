//! Real threads, and a statfs that hangs until it is told to return.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use runtime::clock::SystemClock;

use super::{MakeStatFs, Settings, Sweeper};
use crate::{
    statfs::{StatFs, Usage},
    sweeper::{Listener, schedule::STRANDED},
    testing::{usage, volume},
};

/// Nothing here takes that long; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct World {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Names of the volumes whose server does not answer.
    hung: BTreeSet<String>,
    /// Whether such a call can be ended.
    killable: bool,
    starts: BTreeMap<String, Vec<Instant>>,
    blocked: usize,
    most_blocked: usize,
    /// Volumes that failed at the last tick; `None` before the first.
    failing: Option<BTreeSet<String>>,
    stranded: usize,
}

impl World {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn await_until(&self, what: &str, met: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !met(state))
            .unwrap();
        assert!(!waited.timed_out(), "waited in vain for {what}");
    }
}

/// One worker's statfs.
struct Tool {
    world: Arc<World>,
    aborted: Mutex<bool>,
}

impl Tool {
    /// Whether the server answered before the call was aborted.
    fn call(&self, pv: &str) -> bool {
        *self.aborted.lock().unwrap() = false;
        let mut state = self.world.state.lock().unwrap();
        state
            .starts
            .entry(pv.to_owned())
            .or_default()
            .push(Instant::now());
        self.world.changed.notify_all();
        if state.hung.contains(pv) {
            state.blocked += 1;
            state.most_blocked = state.most_blocked.max(state.blocked);
            let hangs = |state: &mut State| {
                state.hung.contains(pv) && !(state.killable && *self.aborted.lock().unwrap())
            };
            state = self.world.changed.wait_while(state, hangs).unwrap();
            state.blocked -= 1;
        }
        !state.hung.contains(pv)
    }
}

impl StatFs for Tool {
    fn statfs(&self, path: &Path) -> io::Result<Usage> {
        let pv = path.iter().rev().nth(1).and_then(|name| name.to_str());
        let answered = self.call(pv.ok_or(io::ErrorKind::InvalidFilename)?);
        if answered {
            Ok(usage(1))
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    fn abort(&self) {
        *self.aborted.lock().unwrap() = true;
        // Under the world's lock, or the call could miss it between looking and waiting.
        self.world.set(|_| ());
    }
}

struct Ticks(Arc<World>);

impl Listener for Ticks {
    fn tick(&self, sweeper: &Sweeper, _: Option<Duration>) {
        let seen = sweeper.observe();
        let failing = seen
            .iter()
            .filter(|s| s.failure.is_some())
            .map(|s| s.volume.pv.clone())
            .collect();
        let stranded = sweeper.stranded();
        self.0
            .set(|state| (state.failing, state.stranded) = (Some(failing), stranded));
    }

    fn measured(&self, _: Duration) {}
}

const PERIOD: Duration = Duration::from_millis(100);
const DEADLINE: Duration = Duration::from_millis(200);

fn start(trusted: usize, doubtful: usize) -> (Arc<World>, Sweeper) {
    let world = Arc::new(World::default());
    let make = || -> MakeStatFs {
        let world = Arc::clone(&world);
        Box::new(move || {
            Arc::new(Tool {
                world: Arc::clone(&world),
                aborted: Mutex::new(false),
            })
        })
    };
    let listener = Box::new(Ticks(Arc::clone(&world)));
    let settings = Settings {
        period: PERIOD,
        deadline: DEADLINE,
    };
    let sweeper = Sweeper::start(settings, Arc::new(SystemClock), make(), make(), listener).unwrap();
    let trusted = (0..trusted).map(|n| volume(&format!("t{n:03}"), "xfs"));
    sweeper.replace(
        trusted
            .chain((0..doubtful).map(|n| volume(&format!("d{n:03}"), "fuse")))
            .collect(),
    );
    (world, sweeper)
}

fn doubtful(count: usize) -> BTreeSet<String> {
    (0..count).map(|n| format!("d{n:03}")).collect()
}

/// All trusted volumes have been measured `times` more than now.
fn await_rounds(world: &World, times: usize) {
    let trusted = |state: &State| -> BTreeMap<String, usize> {
        let starts = state.starts.iter().filter(|(pv, _)| pv.starts_with('t'));
        starts.map(|(pv, starts)| (pv.clone(), starts.len())).collect()
    };
    let before = trusted(&world.state.lock().unwrap());
    world.await_until("trusted volumes to be measured", |state| {
        trusted(state)
            .iter()
            .all(|(pv, count)| *count >= before.get(pv).copied().unwrap_or(0) + times)
    });
}

#[test]
fn servers_that_hang_leave_the_others_their_pace_and_come_back() {
    for killable in [true, false] {
        let (world, sweeper) = start(100, 20);
        world.await_until("the first sweep", |state| {
            state.starts.len() == 120 && state.failing.is_some()
        });
        world.set(|state| (state.hung, state.killable) = (doubtful(20), killable));
        world.await_until("all hung to be told", |state| state.failing == Some(doubtful(20)));
        await_rounds(&world, 20);
        world.set(|state| {
            assert!(state.most_blocked <= STRANDED, "{}", state.most_blocked);
            assert!(
                state
                    .failing
                    .as_ref()
                    .is_some_and(|failing| failing.is_superset(&doubtful(20)))
            );
            // Not the pace of a quiet machine, but far from what waiting for any of the hung would make of it.
            let gaps = state.starts.iter().filter(|(pv, _)| pv.starts_with('t'));
            let largest = gaps
                .flat_map(|(_, starts)| starts.windows(2).map(|pair| pair[1] - pair[0]))
                .max()
                .unwrap();
            assert!(largest < PERIOD * 20, "{largest:?}");
        });
        world.set(|state| state.hung.clear());
        let recovered = |state: &State| state.failing == Some(BTreeSet::new()) && state.stranded == 0;
        world.await_until("all to recover", recovered);
        sweeper.stop();
    }
}

#[test]
fn a_trusted_volume_that_hangs_is_left_behind() {
    let (world, sweeper) = start(10, 0);
    world.await_until("the first sweep", |state| state.starts.len() == 10);
    let hung: BTreeSet<String> = ["t003".to_owned(), "t004".to_owned()].into();
    world.set(|state| state.hung = hung.clone());
    world.await_until("both to be told", |state| {
        state.failing == Some(hung.clone()) && state.stranded == 2
    });
    world.set(|state| state.hung.clear());
    world.await_until("both to recover", |state| {
        state.failing == Some(BTreeSet::new()) && state.stranded == 0
    });
    await_rounds(&world, 3);
    sweeper.stop();
}

#[test]
fn ticks_come_without_volumes_and_end_with_the_sweeper() {
    let (world, sweeper) = start(0, 0);
    for _ in 0..3 {
        world.set(|state| state.failing = None);
        world.await_until("a tick", |state| state.failing.is_some());
    }
    assert!(sweeper.is_complete());
    let threads = Arc::downgrade(&sweeper.0);
    sweeper.stop();
    drop(sweeper);
    // The last of the threads lets go of what they share.
    let began = Instant::now();
    while threads.strong_count() > 0 {
        assert!(began.elapsed() < PATIENCE, "threads go on");
        std::thread::yield_now();
    }
}
