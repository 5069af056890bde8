//! The executor: carries out `PostgresOpsRequest`s, one write at a time.
//!
//! Reading order: [`run()`], [`controller`] (the table of contents), [`executor_core::step`], [`perform`]. What it is
//! not: it decides nothing by itself ([`executor_core`] does) and never touches a filesystem; kubelet and the
//! storage driver do the growing.

mod alongside;
pub mod args;
pub mod controller;
pub mod error;
mod events;
mod index;
pub mod member;
mod memory;
mod metrics;
mod observe;
mod passed;
pub mod perform;
pub mod run;
pub mod test_parts;
mod wake;
mod watches;

pub use args::Args;
pub use run::run;
