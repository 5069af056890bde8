//! `spec.storage.postgres`: the policy for the data volumes.
//!
//! Its form only. What the values mean, and which of them cannot be used where KubeDB's definition checked nothing,
//! is the decider's to read.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

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
