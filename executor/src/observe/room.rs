//! Quotas, limits and classes as the core's plain values.

use std::collections::BTreeMap;

use api::highwater::v1alpha1::{Expansion, StorageProfile};
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

/// A class with its profile: one that names the class goes before one that names its provisioner.
pub(crate) fn class(object: &StorageClass, profiles: &[StorageProfile]) -> Class {
    let name = object.name_any();
    let by_class = |profile: &&StorageProfile| profile.spec.storage_class_name.as_ref() == Some(&name);
    let by_provisioner =
        |profile: &&StorageProfile| profile.spec.provisioner.as_ref() == Some(&object.provisioner);
    let profile = profiles
        .iter()
        .find(by_class)
        .or_else(|| profiles.iter().find(by_provisioner));
    Class {
        expandable: object.allow_volume_expansion.unwrap_or(false),
        profile: profile.map(|profile| Profile {
            name: profile.name_any(),
            expansion: match profile.spec.expansion {
                Some(Expansion::Unsupported) => Capability::Unsupported,
                Some(Expansion::Offline) => Capability::Offline,
                _ => Capability::Online,
            },
            maximum: profile
                .spec
                .maximum_size
                .as_ref()
                .and_then(|size| size.bytes().ok()),
            duration: profile
                .spec
                .expected_duration
                .as_ref()
                .and_then(|text| text.get().ok()),
        }),
        name,
    }
}

fn bytes(quantity: &Quantity) -> Bytes {
    Bytes::parse_quantity(&quantity.0).unwrap_or(Bytes::ZERO)
}
