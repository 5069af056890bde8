//! The agent: measures every mounted persistent volume of its node each second, those that are soon full or close to a
//! threshold ten times a second, and streams what moved to every decider replica.
//!
//! ```text
//! mountinfo ─ mounts ─ volumes ─▶ sweeper ─ statfs ─▶ board ─▶ sampler ─▶ uplink ─▶ decider
//!             text     which      each second         latest   what moved  a stream a replica
//! ```
//!
//! It talks to deciders only: it has no right at the API server and does not know Kubernetes but for kubelet's
//! directory layout. It writes nothing, opens no file in a volume and holds no descriptor on one.

pub mod args;
pub mod board;
pub mod collector;
pub mod history;
pub mod metrics;
pub mod mount_watch;
pub mod mounts;
pub mod probe;
pub mod report;
pub mod run;
pub mod sampler;
pub mod statfs;
pub mod sweeper;
pub mod uplink;
pub mod volumes;

#[cfg(test)]
mod testing;
