//! What the provisioner decides, without input or output.
//!
//! Two parts that know nothing of each other: [`petset`] (which pods and claims of a set are to be made, replaced or
//! removed next) and [`postgres`] (a database's settings, phase and conditions, and the order of its deletion).

pub mod petset;
pub mod postgres;
