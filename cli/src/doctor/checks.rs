//! The checks. Each tells what is right, or everything that is wrong.

mod fleet;
mod installation;
mod storage;

use super::{Facts, Told};

/// A pure function of what is known.
type Check = fn(&Facts) -> Told;

/// Every check by its name.
pub(super) const ALL: &[(&str, Check)] = &[
    ("definitions", installation::definitions),
    ("processes", installation::processes),
    ("versions", installation::versions),
    ("priority class", installation::priority_class),
    ("KubeDB", installation::beside_kubedb),
    ("leaders", installation::leaders),
    ("view", installation::view),
    ("clocks", fleet::clocks),
    ("agents", fleet::agents),
    ("storage classes", storage::classes),
    ("resizers", storage::resizers),
    ("autoscalers", fleet::autoscalers),
    ("requests", fleet::requests),
];

/// Nothing wrong, or all of it.
fn verdict(wrong: Vec<super::Wrong>, right: impl Into<String>) -> Told {
    if wrong.is_empty() {
        Ok(right.into())
    } else {
        Err(wrong)
    }
}
