//! The profiles that Highwater brings along: a table, in which each line has its source.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::highwater::v1alpha1::{Expansion, Modifications, StorageProfileSpec};

use super::{is_duration, is_size};

/// The table.
const TABLE: &str = include_str!("built_in.txt");

/// The table as it was read, once: every look at a claim asks.
static PROFILES: LazyLock<BTreeMap<&'static str, StorageProfileSpec>> =
    LazyLock::new(|| lines().filter_map(read).collect());

/// The profile of a provisioner, if it is in the table.
#[must_use]
pub fn of(provisioner: &str) -> Option<&'static StorageProfileSpec> {
    PROFILES.get(provisioner)
}

/// All of them, with their provisioners.
pub fn all() -> impl Iterator<Item = (&'static str, &'static StorageProfileSpec)> {
    PROFILES.iter().map(|(name, profile)| (*name, profile))
}

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// One line; `None` if it cannot be read, of which there is none.
fn read(line: &'static str) -> Option<(&'static str, StorageProfileSpec)> {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next();
    let (name, expansion, granularity, maximum, modifications) =
        (next()?, next()?, next()?, next()?, next()?);
    next().filter(|source| !source.is_empty())?;
    let shared = expansion == "shared";
    let profile = StorageProfileSpec {
        provisioner: Some(name.to_owned()),
        expansion: Some(match expansion {
            "shared" => Expansion::Unsupported,
            word if Expansion::WORDS.contains(&word) => word.into(),
            _ => return None,
        }),
        granularity: known(granularity, |text| Some(text.into()).filter(is_size))?,
        maximum_size: known(maximum, |text| Some(text.into()).filter(is_size))?,
        modifications: known(modifications, budget)?,
        shared_filesystem: Some(shared),
        ..StorageProfileSpec::default()
    };
    Some((name, profile))
}

/// A column that may be `-`; `None` if it can neither be read nor is that.
fn known<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        "-" => Some(None),
        text => read(text).map(Some),
    }
}

fn budget(text: &str) -> Option<Modifications> {
    let mut parts = text.split('/');
    let mut next = || parts.next();
    let (count, window, reserve) = (next()?, next()?, next()?);
    let (count, reserve): (i32, i32) = (count.parse().ok()?, reserve.parse().ok()?);
    let budget = Modifications {
        count,
        window: Some(window.into()).filter(is_duration)?,
        reserve: Some(reserve),
        minimum_interval: None,
    };
    Some(budget).filter(|_| parts.next().is_none() && (0..count).contains(&reserve))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_reads_has_its_source_and_is_there_once() {
        let mut names = BTreeSet::new();
        for line in lines() {
            let profile = read(line);
            assert!(profile.is_some(), "{line}");
            assert!(names.insert(profile.map(|(name, _)| name)), "twice: {line}");
        }
        assert!(names.len() > 25, "{}", names.len());
        assert_eq!(all().count(), names.len());
    }

    #[test]
    fn amazons_are_four_a_day_of_which_one_is_kept() {
        let ebs = of("ebs.csi.aws.com").unwrap();
        let budget = ebs.modifications.as_ref().unwrap();
        assert_eq!((budget.count, budget.reserve), (4, Some(1)));
        assert_eq!(budget.window.get().unwrap().as_secs(), 86_400);
        let size = |text: &Option<crate::quantity::QuantityText>| text.as_ref().unwrap().0.clone();
        assert_eq!(
            (size(&ebs.granularity), size(&ebs.maximum_size)),
            ("1Gi".into(), "16Ti".into())
        );
        assert_eq!(of("unheard.of"), None);
    }

    #[test]
    fn directories_and_shares_are_refused() {
        for name in ["rancher.io/local-path", "nfs.csi.k8s.io", "hostpath.csi.k8s.io"] {
            let profile = of(name).unwrap();
            assert_eq!(profile.shared_filesystem, Some(true), "{name}");
            assert_eq!(profile.expansion, Some(Expansion::Unsupported), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_profile() {
        for line in [
            "x | Online | 1Gi | - | -",
            "x | Online | 1Gi | - | - | ",
            "x | Maybe | 1Gi | - | - | s",
            "x | Online | 0 | - | - | s",
            "x | Online | 1Gi | - | 4/24h/4 | s",
            "x | Online | 1Gi | - | 4/1/1 | s",
            "x | Online | 1Gi | - | 4/24h/1/6h | s",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
