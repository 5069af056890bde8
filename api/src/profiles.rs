//! Which profile holds for a class of storage: an object, over the one that Highwater brings along.

use std::borrow::Borrow;

use crate::{
    duration::DurationText,
    highwater::v1alpha1::{Expansion, StorageProfileSpec},
    quantity::QuantityText,
};
use units::Bytes;

mod built_in;

pub use built_in::{all as all_built_in, of as built_in};

/// The object that is most closely about a class, with its name; of two the first by name.
pub fn closest<N: Ord, S: Borrow<StorageProfileSpec>>(
    class: &str,
    provisioner: &str,
    objects: impl IntoIterator<Item = (N, S)>,
) -> Option<(N, S)> {
    let selecting = objects.into_iter().filter_map(|(name, spec)| {
        let selects = spec.borrow().selects(class, provisioner)?;
        Some((selects, name, spec))
    });
    let closest =
        selecting.min_by(|(selects, name, _), (other, another, _)| (selects, name).cmp(&(other, another)));
    closest.map(|(_, name, spec)| (name, spec))
}

/// What a profile object has to do with a class; of several objects the least in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selects {
    /// It names the class.
    Class,
    /// It names the class's provisioner.
    Provisioner,
}

impl StorageProfileSpec {
    /// Whether this profile is about a class, and how closely. Of two that are so equally the first by name counts,
    /// whatever the order in which they came.
    #[must_use]
    pub fn selects(&self, class: &str, provisioner: &str) -> Option<Selects> {
        if self.storage_class_name.as_deref() == Some(class) {
            return Some(Selects::Class);
        }
        (self.provisioner.as_deref() == Some(provisioner)).then_some(Selects::Provisioner)
    }

    /// This profile, with what it leaves out, or says in words that cannot be used, taken from the one that it overrides.
    #[must_use]
    pub fn over(&self, below: Option<&StorageProfileSpec>) -> StorageProfileSpec {
        let Self {
            provisioner,
            storage_class_name,
            expansion,
            granularity,
            maximum_size,
            modifications,
            expected_duration,
            shared_filesystem,
        } = self.clone();
        let below = below.cloned().unwrap_or_default();
        Self {
            provisioner,
            storage_class_name,
            expansion: expansion
                .filter(|word| !matches!(word, Expansion::Other(_)))
                .or(below.expansion),
            granularity: granularity.filter(is_size).or(below.granularity),
            maximum_size: maximum_size.filter(is_size).or(below.maximum_size),
            modifications: modifications.or(below.modifications),
            expected_duration: expected_duration.filter(is_duration).or(below.expected_duration),
            shared_filesystem: shared_filesystem.or(below.shared_filesystem),
        }
    }
}

fn is_size(text: &QuantityText) -> bool {
    text.bytes().is_ok_and(|size| size > Bytes::ZERO)
}

fn is_duration(text: &DurationText) -> bool {
    text.get().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(text: Value) -> StorageProfileSpec {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_profile_of_the_class_is_closer_than_one_of_its_provisioner() {
        let class = spec(json!({"storageClassName": "gp3"}));
        let provisioner = spec(json!({"provisioner": "ebs.csi.aws.com"}));
        let of = |spec: &StorageProfileSpec| spec.selects("gp3", "ebs.csi.aws.com");
        assert!(of(&class) < of(&provisioner));
        assert_eq!(of(&class), Some(Selects::Class));
        assert_eq!(provisioner.selects("gp3", "pd.csi.storage.gke.io"), None);
    }

    #[test]
    fn what_an_object_leaves_out_or_cannot_mean_is_the_built_in_ones() {
        let ebs = built_in("ebs.csi.aws.com");
        let object = spec(
            json!({"storageClassName": "gp3", "maximumSize": "64Ti", "granularity": "0",
            "expansion": "Sideways", "expectedDuration": "soon"}),
        );
        let whole = object.over(ebs);
        let size = |text: &Option<QuantityText>| text.as_ref().map(|text| text.0.clone());
        assert_eq!(size(&whole.maximum_size).as_deref(), Some("64Ti"));
        assert_eq!(size(&whole.granularity).as_deref(), Some("1Gi"));
        assert_eq!(
            (whole.expansion, whole.expected_duration),
            (Some(Expansion::Online), None)
        );
        assert_eq!(whole.modifications.map(|budget| budget.count), Some(4));
        assert_eq!(object.over(None).modifications, None);
    }
}
