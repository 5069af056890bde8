//! Whether somebody resizes the volumes of a driver, known before it is asked to.
//!
//! The one who resizes is csi-resizer, and what the API shows of it is the Lease it holds when it elects a leader,
//! `external-resizer-<driver>`, in a namespace of its installer's choice. A Lease that nobody renews any more is the trace of a
//! resizer that is gone. That there is none says nothing: one without election holds none. A driver's CSIDriver object and the
//! CSINode that lists it are of no use here: both stand for the driver's node plugin, which runs without a resizer as well.
//!
//! Read every so often instead of watched: each of its renewals would be a message, and nothing is said about most.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use api::names::resizer_lease;
use control::watch::{Key, Store};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, ResourceExt, api::ListParams};
use runtime::report::Chain;
use tokio::time::{MissedTickBehavior, interval};

use super::Context;
use crate::objects::Abandoned;

/// Twice the time in which csi-resizer renews its Lease (5 s).
const EVERY: Duration = Duration::from_secs(10);
/// Four times what such a Lease lasts (15 s): longer than a new resizer takes to be in the place of the old one.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// One Lease of a resizer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    path: String,
    renewed: Option<Timestamp>,
}

/// When each Lease was renewed, at the last look.
type Before = BTreeMap<String, Option<Timestamp>>;

/// Looks for ever.
pub(super) async fn look_for_resizers(context: &Context) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Before::new();
    loop {
        ticks.tick().await;
        before = look(context, &before).await;
    }
}

async fn look(context: &Context, before: &Before) -> Before {
    let parts = &context.parts;
    let classes = parts.objects.classes.all();
    let drivers: BTreeSet<&str> = classes
        .iter()
        .map(|(_, class)| class.provisioner.as_str())
        .collect();
    let mut seen = Before::new();
    for driver in drivers {
        match leases(context, driver).await {
            Ok(leases) => {
                let now = parts.clock.now();
                let key = Key::new("", driver);
                put(&parts.objects.resizers, key, abandoned(&leases, before, now));
                seen.extend(leases.into_iter().map(|lease| (lease.path, lease.renewed)));
            }
            // A chart of before has not the right to; what was known stays known.
            Err(error) => {
                tracing::debug!(driver, error = %Chain(&error), "cannot look for the resizer's Lease")
            }
        }
    }
    seen
}

fn put(store: &Store<Abandoned>, key: Key, verdict: Option<Abandoned>) {
    match verdict {
        Some(verdict) => store.put(key, verdict),
        None => store.remove(&key),
    }
}

async fn leases(context: &Context, driver: &str) -> Result<Vec<Held>, kube::Error> {
    // From the API server's cache: so often asked, it is not to read etcd.
    let named = ListParams::default()
        .match_any()
        .fields(&format!("metadata.name={}", resizer_lease(driver)));
    let found = Api::<Lease>::all(context.parts.client.clone())
        .list(&named)
        .await?;
    let held = |lease: Lease| Held {
        path: format!("{}/{}", lease.namespace().unwrap_or_default(), lease.name_any()),
        renewed: lease
            .spec
            .and_then(|spec| spec.renew_time)
            .map(|renewed| renewed.0),
    };
    Ok(found.items.into_iter().map(held).collect())
}

/// The Lease that was given up last, if there are some and nobody renews any. The holder's clock may be behind ours: one is given up
/// only if it has not moved since the last look either.
fn abandoned(leases: &[Held], before: &Before, now: Timestamp) -> Option<Abandoned> {
    let renewed_lately = |at: Timestamp| now.duration_since(at) < FRESH;
    let stands = |lease: &Held| {
        before.get(&lease.path) == Some(&lease.renewed) && !lease.renewed.is_some_and(renewed_lately)
    };
    let newest = leases.iter().max_by_key(|lease| lease.renewed)?;
    leases.iter().all(stands).then(|| Abandoned {
        lease: newest.path.clone(),
        renewed: newest.renewed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn held(path: &str, second: i64) -> Held {
        Held {
            path: path.into(),
            renewed: Some(at(second)),
        }
    }

    fn before(leases: &[Held]) -> Before {
        leases.iter().cloned().map(|l| (l.path, l.renewed)).collect()
    }

    #[test]
    fn a_lease_that_nobody_renews_is_abandoned() {
        let old = [held("kube-system/l", 0)];
        let lease = |verdict: Option<Abandoned>| verdict.map(|a| (a.lease, a.renewed));
        let expected = Some(("kube-system/l".to_owned(), Some(at(0))));
        assert_eq!(lease(abandoned(&old, &before(&old), at(60))), expected);
        assert_eq!(
            abandoned(&old, &before(&old), at(59)),
            None,
            "another may take over"
        );
    }

    #[test]
    fn what_is_not_known_is_not_abandoned() {
        assert_eq!(
            abandoned(&[], &Before::new(), at(0)),
            None,
            "it may do without election"
        );
        let old = [held("kube-system/l", 0)];
        assert_eq!(abandoned(&old, &Before::new(), at(500)), None, "a first look");
        let moved = [held("kube-system/l", 10)];
        assert_eq!(
            abandoned(&moved, &before(&old), at(500)),
            None,
            "renewed by a clock that is behind"
        );
    }

    #[test]
    fn one_that_is_renewed_is_enough() {
        let two = [held("old/l", 0), held("new/l", 495)];
        assert_eq!(abandoned(&two, &before(&two), at(500)), None);
        let gone = abandoned(&two, &before(&two), at(600)).unwrap();
        assert_eq!(gone.lease, "new/l", "the newest is named");
    }
}
