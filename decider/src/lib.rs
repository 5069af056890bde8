//! The decider: agents' samples and the cluster's objects in, PostgresOpsRequests out.
//!
//! Read it along the line: [`ingest`] believes or refuses what agents send, [`store`] keeps it, the controller
//! gathers what is known of a database, [`decider_core::decide()`] decides, and the decision is applied. What it
//! is not: the one that changes a claim. That is the executor's work, by the request made here.

pub mod ingest;
pub mod metrics;
pub mod store;
