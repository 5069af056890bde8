//! The objects Highwater reads and writes: KubeDB's kinds and its own `StorageProfile`, as Rust types from which
//! the custom resource definitions are generated.
//!
//! Reading is tolerant: a field that is absent, or holds a word of a newer version, never makes an object
//! unreadable. What may be written is the schema's business (`crds`). What it is not: a client.

#![expect(
    unreachable_pub,
    reason = "KubeSchema declares a copy of each pub struct inside a function"
)]
#![expect(
    clippy::duplicated_attributes,
    reason = "printer columns repeat their type, which the lint takes for a slip"
)]

pub mod autoscaling;
pub mod catalog;
pub mod claims;
pub mod compatibility;
pub mod conditions;
pub mod crds;
pub mod duration;
pub mod files;
pub mod highwater;
pub mod join;
mod known;
pub mod kubedb;
pub mod names;
pub mod ops;
pub mod petset;
pub mod policies;
pub mod profiles;
pub mod quantity;
pub mod reasons_page;
pub mod refs;
mod rules;
mod shapes;
pub mod table_page;
pub mod view;
