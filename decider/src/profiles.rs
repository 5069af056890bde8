//! What classes of storage can do: the profiles that Highwater brings along, and the objects that override them.

use control::watch::Store;
use decider_core::{Expansion, Profile};
use units::Bytes;

use api::highwater::v1alpha1::{self as api_profile, StorageProfileSpec};

use crate::objects::Class;

/// A profile known beforehand.
struct BuiltIn {
    provisioner: &'static str,
    expansion: Expansion,
    granularity: Bytes,
    maximum_size: Option<Bytes>,
    shared_filesystem: bool,
}

const fn block(provisioner: &'static str, granularity: Bytes, tib: u64) -> BuiltIn {
    let maximum_size = if tib == 0 {
        None
    } else {
        Some(Bytes::new(tib * Bytes::TIB.get()))
    };
    BuiltIn {
        provisioner,
        expansion: Expansion::Online,
        granularity,
        maximum_size,
        shared_filesystem: false,
    }
}

const fn shared(provisioner: &'static str) -> BuiltIn {
    BuiltIn {
        provisioner,
        expansion: Expansion::Unsupported,
        granularity: Bytes::MIB,
        maximum_size: None,
        shared_filesystem: true,
    }
}

/// Each line with its source; sizes without one are left to the driver's own refusal.
const BUILT_IN: &[BuiltIn] = &[
    // kubernetes-sigs/aws-ebs-csi-driver docs/design.md: rounds up to GiB; 16 TiB is gp2's, the smallest maximum.
    block("ebs.csi.aws.com", Bytes::GIB, 16),
    // kubernetes-sigs/gcp-compute-persistent-disk-csi-driver pkg/gce-pd-csi-driver/controller.go: rounds up to GiB.
    block("pd.csi.storage.gke.io", Bytes::GIB, 0),
    // learn.microsoft.com, disks-types: GiB; 32,767 GiB for Standard and Premium.
    block("disk.csi.azure.com", Bytes::GIB, 0),
    // longhorn.io/docs, volume expansion: sizes are multiples of 2 MiB.
    block("driver.longhorn.io", Bytes::new(2 << 20), 0),
    // ceph/ceph-csi: rounds up to MiB.
    block("rbd.csi.ceph.com", Bytes::MIB, 0),
    block("rook-ceph.rbd.csi.ceph.com", Bytes::MIB, 0),
    // topolvm/topolvm: 4 KiB; MiB keeps the numbers readable.
    block("topolvm.io", Bytes::MIB, 0),
    // rancher/local-path-provisioner deploy/chart: no resizer, yet its class says allowVolumeExpansion.
    shared("rancher.io/local-path"),
    // kubernetes-csi/csi-driver-nfs, nfs-subdir-external-provisioner: the size is a label.
    shared("nfs.csi.k8s.io"),
    shared("k8s-sigs.io/nfs-subdir-external-provisioner"),
    // kubernetes-csi/csi-driver-host-path pkg/hostpath: sizes are not enforced.
    shared("hostpath.csi.k8s.io"),
    shared("k8s.io/minikube-hostpath"),
];

/// The profile of a class: the object for the class, else for its provisioner, else the built-in one, else the
/// default. A field the object leaves out is taken from what it overrides.
pub(crate) fn profile(class: &str, known: Option<&Class>, objects: &Store<StorageProfileSpec>) -> Profile {
    let provisioner = known.map_or("", |class| class.provisioner.as_str());
    let below = built_in_of(provisioner).unwrap_or_default();
    // Of two objects for the same thing the first by name counts, whatever the order in which they came.
    let first = |test: &dyn Fn(&StorageProfileSpec) -> bool| {
        objects
            .matching(|_, spec| test(spec))
            .into_iter()
            .min_by(|a, b| a.0.cmp(&b.0))
    };
    let object = first(&|spec| spec.storage_class_name.as_deref() == Some(class))
        .or_else(|| first(&|spec| spec.provisioner.as_deref() == Some(provisioner)));
    match object {
        Some((key, spec)) => overridden(below, &key.name, &spec),
        None => below,
    }
}

/// The profile that is built in for a driver.
#[must_use]
pub fn built_in_of(provisioner: &str) -> Option<Profile> {
    BUILT_IN
        .iter()
        .find(|b| b.provisioner == provisioner)
        .map(built_in)
}

fn built_in(profile: &BuiltIn) -> Profile {
    let BuiltIn {
        provisioner,
        expansion,
        granularity,
        maximum_size,
        shared_filesystem,
    } = profile;
    Profile {
        name: (*provisioner).to_owned(),
        expansion: *expansion,
        granularity: *granularity,
        maximum_size: *maximum_size,
        shared_filesystem: *shared_filesystem,
    }
}

fn overridden(below: Profile, name: &str, spec: &StorageProfileSpec) -> Profile {
    let size = |text: Option<&api::quantity::QuantityText>| {
        text.and_then(|t| t.bytes().ok()).filter(|b| *b > Bytes::ZERO)
    };
    Profile {
        name: name.to_owned(),
        expansion: match &spec.expansion {
            Some(api_profile::Expansion::Online) => Expansion::Online,
            Some(api_profile::Expansion::Offline) => Expansion::Offline,
            Some(api_profile::Expansion::Unsupported) => Expansion::Unsupported,
            None | Some(api_profile::Expansion::Other(_)) => below.expansion,
        },
        granularity: size(spec.granularity.as_ref()).unwrap_or(below.granularity),
        maximum_size: size(spec.maximum_size.as_ref()).or(below.maximum_size),
        shared_filesystem: spec.shared_filesystem.unwrap_or(below.shared_filesystem),
    }
}

#[cfg(test)]
mod tests {
    use control::watch::Key;

    use super::*;

    fn class(provisioner: &str) -> Class {
        Class {
            expandable: true,
            provisioner: provisioner.into(),
        }
    }

    #[test]
    fn the_object_for_the_class_goes_before_the_provisioners_and_the_built_in() {
        let objects = Store::new();
        let of =
            |class_name: &str, provisioner: &str| profile(class_name, Some(&class(provisioner)), &objects);
        assert_eq!(of("gp3", "ebs.csi.aws.com").granularity, Bytes::GIB);
        assert!(of("x", "rancher.io/local-path").shared_filesystem);
        assert_eq!(of("x", "unheard.of"), Profile::default());
        let spec = |text: serde_json::Value| serde_json::from_value(text).unwrap();
        objects.put(
            Key::new("", "ebs"),
            spec(serde_json::json!({"provisioner": "ebs.csi.aws.com", "maximumSize": "64Ti"})),
        );
        let ebs = of("gp3", "ebs.csi.aws.com");
        assert_eq!(
            (ebs.granularity, ebs.maximum_size),
            (Bytes::GIB, Some(Bytes::new(64 << 40)))
        );
        objects.put(
            Key::new("", "gp3"),
            spec(
                serde_json::json!({"storageClassName": "gp3", "granularity": "4Gi", "expansion": "Offline"}),
            ),
        );
        let gp3 = of("gp3", "ebs.csi.aws.com");
        assert_eq!(
            (gp3.granularity, gp3.expansion, gp3.name.as_str()),
            (Bytes::new(4 << 30), Expansion::Offline, "gp3")
        );
    }
}
