//! What the end-to-end tests, the demo and the benchmarks share: a handle on the running development cluster
//! ([`World`]), databases in namespaces of their own ([`Database`]), their volumes as the node sees them
//! ([`Volume`]), and the one question asked after every scenario: do all sizes agree ([`agree`])?
//!
//! It is not a mock of anything: every object goes through the real API server, every byte into a real
//! filesystem. The cluster must be up, with Highwater installed (`make cluster`).

pub mod agree;
pub mod audit;
pub mod database;
pub mod driver;
pub mod examples;
pub mod faults;
pub mod history;
pub mod managed;
pub mod members;
mod metrics;
pub mod node;
pub mod objects;
pub mod pace;
mod shared;
pub mod sql;
pub mod tools;
pub mod volume;
pub mod wait;
pub mod world;
pub mod writer;

pub use agree::Sizes;
pub use database::{Database, Shape};
pub use managed::Managed;
pub use members::Member;
pub use objects::Objects;
pub use volume::{Space, Volume};
pub use world::{World, scenario};
