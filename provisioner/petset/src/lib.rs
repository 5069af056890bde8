//! The PetSet controller: pods with an identity, and claims of their own whose templates can be edited.
//!
//! Reading order: [`start`], [`controller`] (the table of contents), [`provisioner_core::petset`] (what is decided),
//! [`perform`]. What it is not: it knows nothing of databases. Whoever makes a PetSet, and the executor that holds an
//! ordinal, meet it only through the API.

mod controller;
mod error;
mod events;
mod memory;
mod metrics;
mod observe;
mod perform;
mod start;
pub mod test_parts;
mod wake;
mod watches;

pub use start::{Parts, start};
