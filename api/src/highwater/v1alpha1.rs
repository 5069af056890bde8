//! `StorageProfile`: what a class of storage can do, beyond what its StorageClass says.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{duration::DurationText, known::known, quantity::QuantityText};

known! {
    /// How volumes of the class can be expanded.
    pub enum Expansion {
        /// While they are in use.
        Online,
        /// While no pod uses them.
        Offline,
        /// Not at all.
        Unsupported,
    }
}

/// What a class of storage can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "highwater.dev",
    version = "v1alpha1",
    kind = "StorageProfile",
    plural = "storageprofiles",
    singular = "storageprofile",
    category = "highwater",
    derive = "PartialEq",
    derive = "Default",
    doc = "What a class of storage can do; overrides the profile that Highwater brings along for it.",
    printcolumn(name = "Provisioner", type_ = "string", json_path = ".spec.provisioner"),
    printcolumn(
        name = "Storage class",
        type_ = "string",
        json_path = ".spec.storageClassName"
    ),
    printcolumn(name = "Expansion", type_ = "string", json_path = ".spec.expansion"),
    printcolumn(name = "Granularity", type_ = "string", json_path = ".spec.granularity"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("has(self.provisioner) != has(self.storageClassName)")
        .message("a StorageProfile selects by one thing; write either provisioner or storageClassName")
        .reason(Reason::FieldValueInvalid)
)]
pub struct StorageProfileSpec {
    /// Every class of this provisioner, such as `ebs.csi.aws.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub provisioner: Option<String>,
    /// This one StorageClass; goes before a profile of its provisioner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
    /// How volumes can be expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expansion: Option<Expansion>,
    /// Sizes are rounded up to a multiple of this, such as `1Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))")
            .message("granularity is not a size above 0; write for example 1Gi")
            .reason(Reason::FieldValueInvalid)
    )]
    pub granularity: Option<QuantityText>,
    /// The largest volume there is, such as `16Ti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))")
            .message("maximumSize is not a size above 0; write for example 16Ti")
            .reason(Reason::FieldValueInvalid)
    )]
    pub maximum_size: Option<QuantityText>,
    /// How often a volume may be modified; absent is as often as wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modifications: Option<Modifications>,
    /// How long an expansion takes, until one was seen. A stage of a growth that takes ten times as long, and seven
    /// minutes at least, ends the run of its request, unless that has a timeout of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new(crate::rules::DURATION)
            .message("expectedDuration is not a duration above zero; write for example 30s or 10m")
            .reason(Reason::FieldValueInvalid)
    )]
    pub expected_duration: Option<DurationText>,
    /// Volumes share one filesystem, so that a volume's size says nothing: never expanded. If false, volumes that are seen on one
    /// device of a node, and larger than they should be, are expanded all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_filesystem: Option<bool>,
}

/// How often a volume may be modified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["count", "window"]))]
#[x_kube(
    validation = Rule::new("!has(self.reserve) || self.reserve < self.count")
        .message("modifications.reserve is not below modifications.count; leave at least one for ordinary growth")
        .reason(Reason::FieldValueInvalid)
)]
pub struct Modifications {
    /// This many within `window`.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default)]
    pub count: i32,
    /// A rolling time, such as `24h`.
    #[x_kube(
        validation = Rule::new(crate::rules::DURATION)
            .message("modifications.window is not a duration above zero; write for example 24h")
            .reason(Reason::FieldValueInvalid)
    )]
    #[serde(default)]
    pub window: DurationText,
    /// Of `count`, kept for emergencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub reserve: Option<i32>,
    /// At least this long between two, such as `6h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new(crate::rules::DURATION)
            .message("modifications.minimumInterval is not a duration above zero; write for example 6h")
            .reason(Reason::FieldValueInvalid)
    )]
    pub minimum_interval: Option<DurationText>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Expansion, StorageProfile};

    #[test]
    fn a_profile_reads() {
        let object: StorageProfile = serde_json::from_value(json!({
            "metadata": {"name": "ebs"},
            "spec": {"provisioner": "ebs.csi.aws.com", "expansion": "Online", "granularity": "1Gi", "maximumSize": "16Ti",
                     "modifications": {"count": 4, "window": "24h", "reserve": 1}, "later": true}
        }))
        .unwrap();
        assert_eq!(object.spec.expansion, Some(Expansion::Online));
        assert_eq!(
            object.spec.modifications.unwrap().window.get().unwrap().as_secs(),
            86_400
        );
    }
}
