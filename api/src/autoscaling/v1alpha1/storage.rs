//! `spec.storage.postgres`: the policy for the data volumes.
//!
//! The accessors give the values in force: the schema's defaults where KubeDB's definition, which has none,
//! left a field out, and an error that names the field where a value cannot be used.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use units::{Bytes, Growth, Percent, QuantityError, Rules, rules::RuleError};

use crate::{known::known, quantity::QuantityText};

/// Percent of the filesystem above which a volume grows, when nothing is said.
pub const DEFAULT_USAGE_THRESHOLD: i32 = 80;
/// Percent of its size by which a volume grows, when nothing is said.
pub const DEFAULT_SCALING_THRESHOLD: i32 = 50;

known! {
    /// Whether pods keep running while their volume grows.
    pub enum ExpansionMode {
        /// Each pod is stopped while its volume grows.
        Offline,
        /// Pods keep running.
        Online,
    }
}

/// `spec.storage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct StorageSection {
    /// The data volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<StorageAutoscalerSpec>,
}

/// When and by how much data volumes grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["expansionMode"]))]
pub struct StorageAutoscalerSpec {
    /// `On` or `Off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("default" = "Off"))]
    #[x_kube(
        validation = Rule::new("self in ['On', 'Off', '']")
            .message("trigger is neither \"On\" nor \"Off\"; write one of the two, with the quotes and the capital letter")
            .reason(Reason::FieldValueInvalid)
    )]
    pub trigger: Option<String>,
    /// Percent of the filesystem, 1 to 99; any volume above it makes all of them grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = DEFAULT_USAGE_THRESHOLD))]
    #[x_kube(
        validation = Rule::new("self >= 1 && self <= 99")
            .message("usageThreshold is not a percentage from 1 to 99; write for example 80, or trigger: \"Off\" to stop growth")
            .reason(Reason::FieldValueInvalid)
    )]
    pub usage_threshold: Option<i32>,
    /// Percent of its size by which a volume grows where no rule applies, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = DEFAULT_SCALING_THRESHOLD))]
    #[x_kube(
        validation = Rule::new("self >= 1 && self <= 1000")
            .message("scalingThreshold is not a percentage from 1 to 1000; write for example 50")
            .reason(Reason::FieldValueInvalid)
    )]
    pub scaling_threshold: Option<i32>,
    /// Growth by size, in any order. Absent means scalingThreshold at every size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    #[x_kube(
        validation = Rule::new("self.filter(r, r.appliesUpto == '').size() <= 1")
            .message("more than one rule has an empty appliesUpto; keep one, and give the others the largest size they apply to")
            .reason(Reason::FieldValueInvalid)
    )]
    pub scaling_rules: Vec<ScalingRuleSpec>,
    /// The largest size a volume may get. Absent means the storage's own limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))")
            .message("upperBound is not a size above 0; write for example 500Gi or 500G (not 500GB)")
            .reason(Reason::FieldValueInvalid)
    )]
    pub upper_bound: Option<QuantityText>,
    /// Whether pods keep running while their volume grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expansion_mode: Option<ExpansionMode>,
}

/// One tier: volumes up to `appliesUpto` grow by `threshold`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["appliesUpto", "threshold"]))]
#[x_kube(
    validation = Rule::new("self.appliesUpto == '' || (isQuantity(self.appliesUpto) && quantity(self.appliesUpto).isGreaterThan(quantity('0')))")
        .message("appliesUpto is neither empty nor a size above 0; write for example 500Gi or 500G (not 500GB), or \"\" for no limit")
        .reason(Reason::FieldValueInvalid),
    validation = Rule::new("self.threshold.matches('^(1000|[1-9][0-9]{0,2})(pc|%)$') || (isQuantity(self.threshold) && quantity(self.threshold).isGreaterThan(quantity('0')))")
        .message("threshold is neither a whole percentage from 1 to 1000 nor a size above 0; write for example 50pc, \"50%\" or 10Gi (not 10GB)")
        .reason(Reason::FieldValueInvalid)
)]
pub struct ScalingRuleSpec {
    /// The largest size the rule applies to; empty has no limit.
    #[schemars(length(max = 32))]
    #[serde(default)]
    pub applies_upto: String,
    /// `50pc`, `50%` or a size such as `10Gi`.
    #[schemars(length(max = 32))]
    #[serde(default)]
    pub threshold: String,
}

/// A value of the policy that cannot be used, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// `trigger` is neither On nor Off.
    #[error("trigger {0:?} is neither \"On\" nor \"Off\"; write one of the two")]
    Trigger(String),
    /// `usageThreshold` out of range.
    #[error("usageThreshold {0} is not a percentage from 1 to 99; write for example 80")]
    UsageThreshold(i32),
    /// `scalingThreshold` out of range.
    #[error("scalingThreshold {0} is not a percentage from 1 to 1000; write for example 50")]
    ScalingThreshold(i32),
    /// A rule cannot be used.
    #[error("{0}")]
    Rules(RuleError),
    /// `upperBound` is not a size.
    #[error("upperBound: {0}")]
    UpperBound(QuantityError),
    /// `upperBound` is zero.
    #[error("upperBound is 0; write a size above 0, such as 500Gi, or leave it out")]
    UpperBoundZero,
}

impl StorageAutoscalerSpec {
    /// Whether growth is on; empty and absent are off.
    pub fn is_on(&self) -> Result<bool, PolicyError> {
        match self.trigger.as_deref() {
            Some("On") => Ok(true),
            None | Some("Off" | "") => Ok(false),
            Some(other) => Err(PolicyError::Trigger(other.to_owned())),
        }
    }

    /// The share of a filesystem above which it grows.
    pub fn usage_threshold(&self) -> Result<Percent, PolicyError> {
        let percent = self.usage_threshold.unwrap_or(DEFAULT_USAGE_THRESHOLD);
        if !(1..=99).contains(&percent) {
            return Err(PolicyError::UsageThreshold(percent));
        }
        Percent::new(percent.into()).map_err(|_| PolicyError::UsageThreshold(percent))
    }

    /// The growth where no rule applies.
    pub fn scaling_threshold(&self) -> Result<Growth, PolicyError> {
        let percent = self.scaling_threshold.unwrap_or(DEFAULT_SCALING_THRESHOLD);
        match u32::try_from(percent) {
            Ok(growth @ 1..=1000) => Ok(Growth::Percent(growth)),
            _ => Err(PolicyError::ScalingThreshold(percent)),
        }
    }

    /// The tiers, sorted; empty when there are none.
    pub fn rules(&self) -> Result<Rules, PolicyError> {
        let pairs = self
            .scaling_rules
            .iter()
            .map(|rule| (rule.applies_upto.as_str(), rule.threshold.as_str()));
        Rules::parse(pairs).map_err(PolicyError::Rules)
    }

    /// The largest size a volume may get; `None` is no cap.
    pub fn upper_bound(&self) -> Result<Option<Bytes>, PolicyError> {
        let Some(text) = &self.upper_bound else {
            return Ok(None);
        };
        match text.bytes().map_err(PolicyError::UpperBound)? {
            Bytes::ZERO => Err(PolicyError::UpperBoundZero),
            size => Ok(Some(size)),
        }
    }
}
