//! The storage under the databases.

use std::collections::BTreeSet;

use api::names::resizer_lease;

use super::{installation::is_fresh, verdict};
use crate::doctor::{Facts, Told, Wrong, facts::Class};

fn used(facts: &Facts) -> Result<Vec<&Class>, Vec<Wrong>> {
    let names = facts.classes_in_use().map_err(|why| vec![Wrong::unknown(why)])?;
    let classes = facts.classes.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    Ok(classes
        .iter()
        .filter(|c| names.contains(c.name.as_str()))
        .collect())
}

/// Classes of databases exist and allow expansion.
pub(super) fn classes(facts: &Facts) -> Told {
    let used = used(facts)?;
    let names = facts.classes_in_use().unwrap_or_default();
    let missing = names.iter().filter(|n| used.iter().all(|c| c.name != **n));
    let missing = missing.map(|name| {
        Wrong::fault(
            format!("StorageClass {name}, which claims of databases name, does not exist: they cannot grow"),
            "create it again, with allowVolumeExpansion: true",
        )
    });
    let fixed = used.iter().filter(|c| !c.expandable).map(|c| {
        Wrong::fault(
            format!("StorageClass {} does not allow expansion", c.name),
            format!(
                "kubectl patch storageclass {} -p '{{\"allowVolumeExpansion\":true}}', if its driver can",
                c.name
            ),
        )
    });
    verdict(
        missing.chain(fixed).collect(),
        format!("{} in use, all can grow", used.len()),
    )
}

/// A resizer with leader election keeps a Lease by its driver's name, and renews it.
pub(super) fn resizers(facts: &Facts) -> Told {
    let leases = facts.leases.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let used = used(facts)?;
    let drivers: BTreeSet<&str> = used.iter().map(|c| c.provisioner.as_str()).collect();
    let wrong = drivers.iter().filter_map(|driver| {
        let name = resizer_lease(driver);
        let mut held = leases.iter().filter(|l| l.name == name && !l.holder.is_empty());
        let why = match held.clone().next() {
            None => format!("there is no Lease {name}"),
            Some(_) if held.any(|l| is_fresh(l, facts)) => return None,
            Some(lease) => format!("{} has let its Lease {name} expire", lease.holder),
        };
        Some(Wrong::warning(
            format!("no csi-resizer of {driver} is seen: {why}"),
            "see that the driver is deployed with one; without leader election it leaves no trace here",
        ))
    });
    verdict(
        wrong.collect(),
        format!("one for each of {} drivers", drivers.len()),
    )
}
