//! The provisioner: makes what databases consist of, and keeps the pods of PetSets.
//!
//! Two controllers that meet only through the API: [`provisioner_petset`] makes pods and claims of any PetSet,
//! [`provisioner_postgres`] makes a PetSet and everything else of a Postgres. This crate is their process, no more.

pub mod args;
pub mod run;

pub use args::Args;
pub use run::run;
