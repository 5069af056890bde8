//! The profiles that Highwater brings along: a table, in which each line has its source.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use decider_core::{Expansion, Modifications, Profile};
use units::Bytes;

/// The table.
const TABLE: &str = include_str!("built_in.txt");

/// The table as it was read, once: every look at a claim asks.
static PROFILES: LazyLock<BTreeMap<String, Profile>> = LazyLock::new(|| {
    let profiles = lines().filter_map(read);
    profiles.map(|profile| (profile.name.clone(), profile)).collect()
});

/// The profile of a provisioner, if it is in the table.
#[must_use]
pub fn of(provisioner: &str) -> Option<Profile> {
    PROFILES.get(provisioner).cloned()
}

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// One line; `None` if it cannot be read, of which there is none.
fn read(line: &str) -> Option<Profile> {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next();
    let (name, expansion, granularity, maximum, modifications) =
        (next()?, next()?, next()?, next()?, next()?);
    next().filter(|source| !source.is_empty())?;
    let shared = expansion == "shared";
    Some(Profile {
        name: name.to_owned(),
        expansion: match expansion {
            "Online" => Expansion::Online,
            "Offline" => Expansion::Offline,
            "shared" | "Unsupported" => Expansion::Unsupported,
            _ => return None,
        },
        granularity: known(granularity, size)?.unwrap_or(Bytes::MIB),
        maximum_size: known(maximum, size)?,
        modifications: known(modifications, budget)?,
        shared_filesystem: shared,
        ..Profile::default()
    })
}

/// A column that may be `-`; `None` if it can neither be read nor is that.
fn known<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        "-" => Some(None),
        text => read(text).map(Some),
    }
}

fn size(text: &str) -> Option<Bytes> {
    Bytes::parse_quantity(text)
        .ok()
        .filter(|size| *size > Bytes::ZERO)
}

fn budget(text: &str) -> Option<Modifications> {
    let mut parts = text.split('/');
    let mut next = || parts.next();
    let (count, window, reserve, interval) = (next()?, next()?, next()?, next()?);
    let budget = Modifications {
        count: count.parse().ok()?,
        window: duration(window)?,
        reserve: reserve.parse().ok()?,
        minimum_interval: duration(interval)?,
    };
    Some(budget).filter(|b| b.reserve < b.count)
}

fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
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
            assert!(names.insert(profile.map(|p| p.name)), "twice: {line}");
        }
        assert!(names.len() > 25, "{}", names.len());
    }

    #[test]
    fn amazons_are_four_a_day_of_which_one_is_kept() {
        let ebs = of("ebs.csi.aws.com").unwrap();
        let budget = ebs.modifications.unwrap();
        assert_eq!((budget.count, budget.reserve), (4, 1));
        assert_eq!(budget.window, Duration::from_secs(86_400));
        assert_eq!(
            (ebs.granularity, ebs.maximum_size),
            (Bytes::GIB, Some(Bytes::new(16 << 40)))
        );
        assert_eq!(of("unheard.of"), None);
    }

    #[test]
    fn directories_and_shares_are_refused() {
        for name in ["rancher.io/local-path", "nfs.csi.k8s.io", "hostpath.csi.k8s.io"] {
            let profile = of(name).unwrap();
            assert!(profile.shared_filesystem, "{name}");
            assert_eq!(profile.expansion, Expansion::Unsupported, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_profile() {
        for line in [
            "x | Online | 1Gi | - | -",
            "x | Online | 1Gi | - | - | ",
            "x | Maybe | 1Gi | - | - | s",
            "x | Online | 0 | - | - | s",
            "x | Online | 1Gi | - | 4/24h/4/0s | s",
            "x | Online | 1Gi | - | 4/1/1/0s | s",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
