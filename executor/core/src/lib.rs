//! Carrying out a request, as a pure function: `step(&Request, &Observed, now) -> Step`.
//!
//! Reading order: [`Request`] and [`Observed`] are what goes in, [`Step`] is what comes out, [`State`] is the table
//! of states between. What it is not: it reads no clock, does no I/O and remembers nothing; whatever is needed to go
//! on after a crash is in the objects.

pub mod announce;
mod attempt;
pub mod cause;
mod checks;
mod finish;
mod growth;
mod lines;
pub mod lsn;
pub mod observed;
mod offline;
mod operation;
pub mod pause;
mod pending;
mod place;
mod queue;
mod quota;
pub mod request;
mod rolling;
mod scaling;
mod state;
mod step;
mod texts;
mod turns;

pub use finish::{ALIGN_TIMEOUT, DELETE_TIMEOUT};
pub use growth::{EVENTS_AFTER, NOTE_AFTER, SILENCE};
pub use observed::Observed;
pub use operation::{Needs, needs};
pub use place::stages;
pub use request::Request;
pub use state::{State, state};
pub use step::{ConfigChange, SpecChange, Step, Update, Wait, internal_error, step};
pub use turns::{ASK_AGAIN, LEADERLESS};
