//! A set of pods with identities: what is to be done next.
//!
//! The semantics are those of Kubernetes' StatefulSet controller (`pkg/controller/statefulset`, v1.36), with two
//! differences: claim templates can change, and then concern new claims only; and one ordinal can be [held](Hold).
//! [`plan`] gives one write at a time, so that whoever makes it looks again before the next.

mod history;
pub mod hold;
mod owners;
mod plan;
mod pod;
mod replicas;
mod set;
mod status;

pub use history::{collides, revision_hash, revision_name};
pub use hold::Hold;
pub use owners::Owner;
pub use plan::{Step, plan};
pub use pod::{Bond, Phase, Pod};
pub use set::{
    Claim, Delete, Failure, Management, Object, Retention, Revision, Set, Spec, Trouble, Update, Verb,
};
pub use status::{Held, Note, Notes, Status, status};
