//! The Postgres controller: from a `Postgres` to everything that runs it.
//!
//! Reading order: [`run`], [`controller`] (the table of contents), [`provisioner_core::postgres`] (which write comes next),
//! [`build`] (what each object should be), [`perform`]. High availability is Patroni's; pods and claims are the PetSet
//! controller's, which this one meets only through the API.

mod build;
pub mod controller;
mod decide;
mod differs;
pub mod error;
mod health;
mod kinds;
mod memory;
mod metrics;
mod observe;
mod perform;
pub mod probe;
pub mod run;
mod status;
pub mod test_parts;
mod troubles;
mod wake;
mod watches;
mod wish;

pub use run::{Parts, start};
