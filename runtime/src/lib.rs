//! What every Highwater process has in common: flags, log, admin port, tasks, shutdown, clock.
//!
//! It knows neither Kubernetes nor the wire. A process is, in this order: [`args`] parsed in `main`,
//! [`process::main`] around its `run`, and in `run` one [`tasks::Tasks`] that holds everything it does, one
//! [`readiness::Readiness`] that says what it still waits for, and [`admin::serve`] to tell both to the outside.

pub mod admin;
pub mod args;
pub mod build;
pub mod clock;
pub mod log;
pub mod metrics_page;
pub mod process;
pub mod readiness;
pub mod report;
pub mod tasks;
pub mod tcp;
pub mod thread;
pub mod watchdog;

pub use report::report;
