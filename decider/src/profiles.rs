//! What classes of storage can do, as the core's plain value.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use api::{
    duration::DurationText,
    highwater::v1alpha1::{self as api_profile, StorageProfileSpec},
    profiles,
};
use control::watch::Store;
use decider_core::{Expansion, Modifications, Profile};

use crate::objects::Class;

/// The built-in ones, read once: every look at a claim asks.
static BUILT_IN: LazyLock<BTreeMap<&'static str, Profile>> = LazyLock::new(|| {
    profiles::all_built_in()
        .map(|(name, spec)| (name, read(name, spec)))
        .collect()
});

/// The built-in profile of a provisioner, if there is one.
#[must_use]
pub fn built_in_of(provisioner: &str) -> Option<Profile> {
    BUILT_IN.get(provisioner).cloned()
}

/// The profile of a class: the object for the class, else for its provisioner, over the built-in one, else the default.
pub(crate) fn profile(class: &str, known: Option<&Class>, objects: &Store<StorageProfileSpec>) -> Profile {
    let provisioner = known.map_or("", |class| class.provisioner.as_str());
    let selecting = objects.matching(|_, spec| spec.selects(class, provisioner).is_some());
    match profiles::closest(class, provisioner, selecting) {
        Some((key, spec)) => read(&key.name, &spec.over(profiles::built_in(provisioner))),
        None => built_in_of(provisioner).unwrap_or_default(),
    }
}

fn read(name: &str, spec: &StorageProfileSpec) -> Profile {
    let default = Profile::default();
    let size = |text: Option<&api::quantity::QuantityText>| text.and_then(|text| text.bytes().ok());
    Profile {
        name: name.to_owned(),
        expansion: match &spec.expansion {
            Some(api_profile::Expansion::Online) => Expansion::Online,
            Some(api_profile::Expansion::Offline) => Expansion::Offline,
            Some(api_profile::Expansion::Unsupported) => Expansion::Unsupported,
            None | Some(api_profile::Expansion::Other(_)) => default.expansion,
        },
        granularity: size(spec.granularity.as_ref()).unwrap_or(default.granularity),
        maximum_size: size(spec.maximum_size.as_ref()),
        modifications: spec.modifications.as_ref().and_then(budget),
        duration: duration(spec.expected_duration.as_ref()).unwrap_or(default.duration),
        shared_filesystem: spec.shared_filesystem,
    }
}

/// What the schema lets through is a budget; anything else is none.
fn budget(spec: &api_profile::Modifications) -> Option<Modifications> {
    let number = |n: i32| u32::try_from(n).ok();
    let budget = Modifications {
        count: number(spec.count)?,
        window: duration(Some(&spec.window))?,
        reserve: number(spec.reserve.unwrap_or(0))?,
        minimum_interval: duration(spec.minimum_interval.as_ref()).unwrap_or(Duration::ZERO),
    };
    Some(budget).filter(|b| b.reserve < b.count)
}

fn duration(text: Option<&DurationText>) -> Option<Duration> {
    text.and_then(|text| text.get().ok())
}

#[cfg(test)]
mod tests {
    use control::watch::Key;
    use units::Bytes;

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
        assert_eq!(of("x", "rancher.io/local-path").shared_filesystem, Some(true));
        assert_eq!(of("gp3", "ebs.csi.aws.com").shared_filesystem, Some(false));
        assert_eq!(of("gp3", "ebs.csi.aws.com").modifications.unwrap().count, 4);
        assert_eq!(of("x", "unheard.of"), Profile::default());
        assert_eq!(profile("not-there", None, &objects), Profile::default());
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
                serde_json::json!({"storageClassName": "gp3", "granularity": "4Gi", "expansion": "Offline",
                    "modifications": {"count": 2, "window": "1h"}, "expectedDuration": "5s"}),
            ),
        );
        let gp3 = of("gp3", "ebs.csi.aws.com");
        assert_eq!(
            (gp3.granularity, gp3.expansion, gp3.name.as_str()),
            (Bytes::new(4 << 30), Expansion::Offline, "gp3")
        );
        let budget = gp3.modifications.unwrap();
        assert_eq!(
            (budget.count, budget.reserve, budget.window.as_secs()),
            (2, 0, 3600)
        );
        assert_eq!(gp3.duration.as_secs(), 5);
        assert_eq!(
            gp3.maximum_size,
            Some(Bytes::new(16 << 40)),
            "not the other object's"
        );
    }
}
