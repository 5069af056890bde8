//! Another number of members, one member at a time.
//!
//! Reading order: [`goal`] (what is asked for), [`start`] (what stops it), [`run`] (whose turn it is), [`up`] and
//! [`down`] (one member), [`leave`] (after its pod is told to stop), [`ending`] (modes, the Postgres, the way out).
//! What a crash must not lose is in `status.members`: which member leaves, how far it had written, which claim was its.

mod down;
mod ending;
mod goal;
mod leave;
mod line;
mod run;
mod start;
mod up;

pub(crate) use self::{
    ending::{aligning, is_complete, settle, tidy},
    line::{plan, progress},
    run::scaling,
    start::{spec, world},
};

/// Text of the condition `Running`, KubeDB's.
pub(crate) const RUNNING: &str = "Postgres ops request is horizontally scaling database";
/// Text of the condition `Successful`, KubeDB's.
pub(crate) const SUCCESSFUL: &str = "Successfully Horizontally Scaled Postgres";
/// Text of the Event `Successful`, KubeDB's.
pub(crate) const SUCCESSFUL_EVENT: &str = "Successfully Horizontally Scaled Database";
