//! Faults on demand: which calls shall fail, and how. TEST-ONLY.
//!
//! The rules are in `<state>/faults.json`, which the driver reads again at each call. Tests that run beside each other
//! give each rule a name of their own and a selector of their own volumes, and change the file with [`add`] and
//! [`remove`], or with [`inject`], which cleans up after itself. This module holds no rule's effect: that is `gate`
//! and `growth`.

mod code;
mod file;
mod selector;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use self::{
    code::Code,
    file::{FaultsError, Injected, add, clear, inject, read, remove, write},
    selector::{Selector, SelectorError, Subject},
};

/// What EBS answers when a volume was modified too often; the text names the volume, so this is its second half.
/// Source: kubernetes-sigs/aws-ebs-csi-driver, pkg/driver/controller.go and pkg/cloud/cloud.go.
pub const RATE_EXCEEDED: &str = "api error VolumeModificationRateExceeded: You've reached the maximum modification \
     rate per volume limit. Wait at least 6 hours between modifications per EBS volume.";

/// All rules in force, applied in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// The rules; names are unique.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// One fault for some calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name, by which it is replaced and removed.
    pub name: String,
    /// The volumes it is for.
    #[serde(default)]
    pub volume: Selector,
    /// The operation it is for; both when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Operation>,
    /// What happens to the call.
    pub fault: Fault,
}

/// Operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Operation {
    /// `ControllerExpandVolume`: the resizer's call.
    ControllerExpand,
    /// `NodeExpandVolume`: kubelet's call.
    NodeExpand,
}

/// What happens to a call. Waiting comes before refusing, whatever the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It is answered with this status; nothing is done.
    Refuse {
        /// The gRPC status.
        code: Code,
        /// Its text.
        message: String,
    },
    /// It waits, then goes on; several delays add up.
    Delay {
        /// How long, in milliseconds.
        millis: u64,
    },
    /// It waits until the rule is gone, the caller gives up or the driver stops.
    Hang,
    /// Growth beyond so many in a rolling window is refused. Only ControllerExpand: the calls that change nothing are
    /// neither counted nor refused, as with a provider.
    RateLimit {
        /// Growths of one volume allowed in the window.
        modifications: u32,
        /// Length of the window, in milliseconds.
        window_millis: u64,
        /// The gRPC status; EBS's driver answers `Internal`.
        #[serde(default)]
        code: Code,
        /// Its text; EBS's when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Growth is refused with FAILED_PRECONDITION while the volume is mounted. Only ControllerExpand.
    OfflineOnly,
    /// A larger size is refused with OUT_OF_RANGE, as above the driver's own maximum. Only ControllerExpand.
    Maximum {
        /// The largest size, in bytes.
        bytes: u64,
    },
}

// === impl Faults

impl Faults {
    /// The faults for one call, in order.
    pub fn matching(&self, op: Operation, subject: &Subject) -> impl Iterator<Item = &Fault> {
        self.rules
            .iter()
            .filter(move |rule| rule.op.is_none_or(|it| it == op) && rule.volume.matches(subject))
            .map(|rule| &rule.fault)
    }

    /// Puts a rule in, in the place of one of the same name.
    pub fn put(&mut self, rule: Rule) {
        match self.rules.iter_mut().find(|it| it.name == rule.name) {
            Some(present) => *present = rule,
            None => self.rules.push(rule),
        }
    }

    /// Takes a rule out; whether it was there.
    pub fn take(&mut self, name: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.name != name);
        self.rules.len() < before
    }

    /// Refuses rules that could never do what they say.
    pub(crate) fn check(&self) -> Result<(), FaultsError> {
        for (index, rule) in self.rules.iter().enumerate() {
            let controller_only = matches!(
                rule.fault,
                Fault::RateLimit { .. } | Fault::OfflineOnly | Fault::Maximum { .. }
            );
            if controller_only && rule.op == Some(Operation::NodeExpand) {
                return Err(FaultsError::WithoutEffect {
                    rule: rule.name.clone(),
                });
            }
            if self
                .rules
                .iter()
                .skip(index + 1)
                .any(|other| other.name == rule.name)
            {
                return Err(FaultsError::SameName {
                    rule: rule.name.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
