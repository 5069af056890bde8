//! Quotas, limits and classes as the core's plain values.

use std::collections::BTreeMap;

use api::highwater::v1alpha1::{Expansion, StorageProfile, StorageProfileSpec};
use executor_core::observed::{Capability, Class, Limit, Profile, Quota};
use k8s_openapi::{
    api::{
        core::v1::{LimitRange, ResourceQuota},
        storage::v1::StorageClass,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;
use units::Bytes;

/// What a namespace allows.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) quotas: Vec<Quota>,
    pub(crate) limits: Vec<Limit>,
}

const REQUESTS: &str = "requests.storage";
/// kubernetes/kubernetes:pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/requests.storage";

pub(crate) fn quotas(objects: &[ResourceQuota]) -> Vec<Quota> {
    objects.iter().flat_map(quotas_of).collect()
}

fn quotas_of(object: &ResourceQuota) -> Vec<Quota> {
    let status = object.status.clone().unwrap_or_default();
    let spec = object.spec.clone().unwrap_or_default();
    // Admission goes by the status, which the quota controller fills; a limit it has not taken up does not bind yet.
    let hard = status.hard.or(spec.hard).unwrap_or_default();
    let used = status.used.unwrap_or_default();
    let quota = |(key, limit): (&String, &Quantity)| {
        let class = key.strip_suffix(OF_CLASS);
        (key == REQUESTS || class.is_some()).then(|| Quota {
            name: object.name_any(),
            class: class.map(str::to_owned),
            hard: bytes(limit),
            used: used.get(key).map_or(Bytes::ZERO, bytes),
        })
    };
    hard.iter().filter_map(quota).collect()
}

pub(crate) fn limits(objects: &[LimitRange]) -> Vec<Limit> {
    let of = |object: &LimitRange| -> Vec<Limit> {
        let items = object.spec.clone().unwrap_or_default().limits;
        let claims = items
            .into_iter()
            .filter(|item| item.type_ == "PersistentVolumeClaim");
        let maximum = |max: BTreeMap<String, Quantity>| max.get("storage").map(bytes);
        claims
            .filter_map(|item| maximum(item.max?))
            .map(|maximum| Limit {
                name: object.name_any(),
                maximum,
            })
            .collect()
    };
    objects.iter().flat_map(of).collect()
}

/// A class with its profile: the object that selects it most closely, over the one that Highwater brings along.
pub(crate) fn class(object: &StorageClass, profiles: &[StorageProfile]) -> Class {
    let name = object.name_any();
    Class {
        expandable: object.allow_volume_expansion.unwrap_or(false),
        profile: profile(&name, &object.provisioner, profiles),
        name,
    }
}

fn profile(class: &str, provisioner: &str, objects: &[StorageProfile]) -> Option<Profile> {
    let built_in = api::profiles::built_in(provisioner);
    let named = objects.iter().map(|object| (object.name_any(), &object.spec));
    match api::profiles::closest(class, provisioner, named) {
        Some((name, spec)) => Some(plain(format!("StorageProfile {name}"), &spec.over(built_in))),
        None => built_in.map(|spec| {
            let name = format!("the profile built in for {provisioner}, which a StorageProfile overrides,");
            plain(name, spec)
        }),
    }
}

fn plain(name: String, spec: &StorageProfileSpec) -> Profile {
    Profile {
        name,
        expansion: match spec.expansion {
            Some(Expansion::Unsupported) => Capability::Unsupported,
            Some(Expansion::Offline) => Capability::Offline,
            _ => Capability::Online,
        },
        maximum: spec.maximum_size.as_ref().and_then(|size| size.bytes().ok()),
        duration: spec.expected_duration.as_ref().and_then(|text| text.get().ok()),
        shared: spec.shared_filesystem.unwrap_or(false),
    }
}

fn bytes(quantity: &Quantity) -> Bytes {
    Bytes::parse_quantity(&quantity.0).unwrap_or(Bytes::ZERO)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(provisioner: &str, objects: &[Value]) -> Option<Profile> {
        let class =
            json!({"metadata": {"name": "fast"}, "provisioner": provisioner, "allowVolumeExpansion": true});
        let objects: Vec<StorageProfile> = objects
            .iter()
            .map(|object| serde_json::from_value(object.clone()).unwrap())
            .collect();
        class_of(class, &objects).profile
    }

    fn class_of(class: Value, objects: &[StorageProfile]) -> Class {
        super::class(&serde_json::from_value(class).unwrap(), objects)
    }

    #[test]
    fn without_an_object_the_built_in_profile_counts() {
        let local = of("rancher.io/local-path", &[]).unwrap();
        assert!(local.shared);
        assert_eq!(local.expansion, Capability::Unsupported);
        let ebs = of("ebs.csi.aws.com", &[]).unwrap();
        assert_eq!((ebs.shared, ebs.maximum), (false, Some(Bytes::new(16 << 40))));
        assert!(ebs.name.contains("built in for ebs.csi.aws.com"), "{}", ebs.name);
        assert_eq!(of("unheard.of", &[]), None);
    }

    #[test]
    fn an_object_overrides_what_it_says_and_the_closest_one_counts() {
        let object = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
        let all = [
            object(
                "all",
                json!({"provisioner": "ebs.csi.aws.com", "expectedDuration": "1h"}),
            ),
            object(
                "b",
                json!({"storageClassName": "fast", "expansion": "Offline", "expectedDuration": "10m"}),
            ),
            object("a", json!({"storageClassName": "fast", "expectedDuration": "5m"})),
        ];
        let fast = of("ebs.csi.aws.com", &all).unwrap();
        assert_eq!(
            fast.duration,
            Some(std::time::Duration::from_secs(300)),
            "the first by name"
        );
        assert_eq!(fast.expansion, Capability::Online);
        assert_eq!(
            fast.maximum,
            Some(Bytes::new(16 << 40)),
            "left out, so the built-in one's"
        );
        assert_eq!(fast.name, "StorageProfile a");
        assert_eq!(of("unheard.of", &all).unwrap().maximum, None);
        assert_eq!(of("unheard.of", &all[..1]), None);
    }
}
