//! The decider: agents' samples and the cluster's objects in, PostgresOpsRequests out.
//!
//! Read it along the line: [`ingest`] believes or refuses what agents send, [`store`] keeps it, [`controller`]
//! gathers what is known of a database, [`decider_core::decide()`] decides, and the decision is applied. [`ingest`] has a thread
//! of its own; the rest, which waits for the API server most of its time, shares two. [`view`] tells
//! whoever asks. What it is not: the one that changes a claim. That is the executor's work, by the request made here.

pub mod args;
pub mod controller;
mod index;
pub mod ingest;
mod memory;
pub mod metrics;
mod name;
pub mod objects;
pub mod profiles;
pub mod run;
pub mod store;
mod uid;
pub mod view;

pub use uid::Uid;
