//! The decision: from what is known of a database to "hold" or "expand", always with a reason.
//!
//! Pure. No clock (time is an argument), no I/O, no Kubernetes types: what the API server and the agents
//! say is turned into [`Database`], [`PolicySpec`] and [`Profile`] by the process around it. What it is not:
//! a place that remembers anything between two decisions.
//!
//! Read [`decide()`] first; its order is the documentation.

mod budget;
mod caps;
mod database;
mod decide;
mod forecast;
mod human;
mod learned;
mod note;
mod policy;
mod profile;
mod rate;
mod record;
mod runaway;
mod sample;
mod size;
mod trigger;
mod window;

pub use budget::{Modifications, Modified};
pub use caps::Cap;
pub use database::{
    Claim, Database, FailedRequest, OpenRequest, PastGrowth, Resize, Room, Seen, Usage, Volume,
};
pub use decide::{Decision, decide};
pub use human::human;
pub use learned::Learned;
pub use note::Note;
pub use policy::{Apply, Limits, Mode, Policy, PolicyError, PolicySpec, RuleSpec, Trigger};
pub use profile::{Expansion, Profile};
pub use rate::{Rate, Trend};
pub use record::{Record, VolumeRecord};
pub use sample::{Absurd, MAX_CLOCK_AHEAD, Raw, Sample};
pub use size::{Sizing, base};
pub use trigger::level;
pub use window::{Point, Window};
