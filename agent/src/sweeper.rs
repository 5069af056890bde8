//! Measures every mounted volume once a period, a hot one ten times, and says which could not be.
//!
//! What is measured when is decided in [`schedule`]; [`threads`] carries it out on plain threads, because the
//! runtime waits for its blocking pool when it ends, and one dead server would then hold up the shutdown.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{statfs::Usage, volumes::Volume};

mod heat;
mod schedule;
mod threads;

pub use threads::{MakeStatFs, Settings, Sweeper};

/// One measurement that gave numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// When the call began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it said.
    pub usage: Usage,
}

/// Why a volume has no current numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No measurement has completed for a period and the deadline: its server does not answer, or its turn does
    /// not come because too many others do not answer.
    Late,
    /// A call has been ended because it took longer than the deadline.
    Aborted,
    /// statfs failed with this errno; 0 where there was none.
    Errno(i32),
    /// The filesystem answers without a size, as FUSE does to users it is not shared with.
    NoSize,
}

/// What is known of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The volume.
    pub volume: Arc<Volume>,
    /// The last measurement that gave numbers.
    pub last: Option<Measurement>,
    /// Why there is none that is current.
    pub failure: Option<Failure>,
    /// It is measured more often: soon full, or about to cross a level that a decider waits for.
    pub hot: bool,
}

/// What the threads tell while they work.
pub trait Listener: Send + Sync + 'static {
    /// A lane has measured all that was due, in `took`; without it, a period has passed. Called on the watchdog's
    /// thread, one call at a time, so that it comes also when every other thread is held up.
    fn tick(&self, sweeper: &Sweeper, took: Option<Duration>);

    /// A volume was measured, `gap` after the time before. Called under the sweeper's lock: must only take note.
    fn measured(&self, gap: Duration);
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late | Self::Aborted => f.write_str("statfs does not return"),
            Self::Errno(errno) => write!(f, "statfs fails: {}", std::io::Error::from_raw_os_error(*errno)),
            Self::NoSize => f.write_str("the filesystem tells no size"),
        }
    }
}

/// The moment that `Instant`s are compared with; here so that the rest takes it as an argument.
fn monotonic() -> Instant {
    Instant::now()
}
