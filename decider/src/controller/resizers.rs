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
use control::watch::Key;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, ResourceExt, api::ListParams};
use runtime::report::Chain;
use tokio::time::{MissedTickBehavior, interval};

use super::Context;
use crate::objects::Abandoned;

/// Twice the time in which csi-resizer renews its Lease (5 s).
const EVERY: Duration = Duration::from_secs(10);
/// So many times what it lasts may a Lease stand still: longer than a new resizer takes to be in the place of the old one.
const TIMES: i32 = 4;
/// What a Lease lasts that does not say it, seconds: csi-resizer's default.
const LASTS: i32 = 15;

/// One Lease of a resizer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    path: String,
    renewed: Option<Timestamp>,
    /// When the API server last saw it change, if it says so.
    written: Option<Timestamp>,
    /// How long it may stand still.
    patience: SignedDuration,
}

/// Since when each Lease is as it is, by our own clock: that of the one who renews it may be another.
type Known = BTreeMap<String, (Option<Timestamp>, Timestamp)>;

/// What the Leases of a driver say.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// There is none, or one that was renewed since the last look.
    Fine,
    /// Nobody renews any.
    Abandoned(Abandoned),
    /// Not enough was seen; what was said before holds.
    Unknown,
}

/// Looks for ever.
pub(super) async fn look_for_resizers(context: &Context) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = Known::new();
    loop {
        ticks.tick().await;
        known = look(context, &known).await;
    }
}

async fn look(context: &Context, known: &Known) -> Known {
    let parts = &context.parts;
    let classes = parts.objects.classes.all();
    let drivers: BTreeSet<&str> = classes
        .iter()
        .map(|(_, class)| class.provisioner.as_str())
        .collect();
    let mut seen = Known::new();
    for driver in drivers {
        match leases(context, driver).await {
            Ok(leases) => {
                let now = parts.clock.now();
                match verdict(&leases, known, now) {
                    Verdict::Fine => parts.objects.resizers.remove(&Key::new("", driver)),
                    Verdict::Abandoned(gone) => parts.objects.resizers.put(Key::new("", driver), gone),
                    Verdict::Unknown => {}
                }
                seen.extend(
                    leases
                        .into_iter()
                        .map(|lease| (lease.path.clone(), (lease.renewed, since(&lease, known, now)))),
                );
            }
            // A chart of before has not the right to; what was said stays said. While the API server is away nobody can renew.
            Err(error) => {
                tracing::debug!(driver, error = %Chain(&error), "cannot look for the resizer's Lease")
            }
        }
    }
    seen
}

async fn leases(context: &Context, driver: &str) -> Result<Vec<Held>, kube::Error> {
    // From the API server's cache: no read of etcd for what is asked so often.
    let named = ListParams::default()
        .match_any()
        .fields(&format!("metadata.name={}", resizer_lease(driver)));
    let found = Api::<Lease>::all(context.parts.client.clone())
        .list(&named)
        .await?;
    Ok(found.items.into_iter().map(Held::of).collect())
}

impl Held {
    fn of(lease: Lease) -> Self {
        let path = format!("{}/{}", lease.namespace().unwrap_or_default(), lease.name_any());
        let written = lease.managed_fields().iter();
        let written = written.filter_map(|part| Some(part.time.as_ref()?.0)).max();
        let spec = lease.spec.unwrap_or_default();
        // One that was given back says that it lasts a second (client-go: leaderelection.go `release`).
        let held = spec.holder_identity.is_some_and(|holder| !holder.is_empty());
        let lasts = spec.lease_duration_seconds.filter(|_| held).unwrap_or(LASTS);
        Self {
            path,
            renewed: spec.renew_time.map(|renewed| renewed.0),
            written,
            patience: SignedDuration::from_secs(lasts.saturating_mul(TIMES).into()),
        }
    }
}

/// Since when a Lease is as it is now.
fn since(lease: &Held, known: &Known, now: Timestamp) -> Timestamp {
    known
        .get(&lease.path)
        .filter(|(renewed, _)| *renewed == lease.renewed)
        .map_or(now, |(_, since)| *since)
}

/// One Lease that moves is enough. Of those that nobody renews the one that was given up last is named.
fn verdict(leases: &[Held], known: &Known, now: Timestamp) -> Verdict {
    let Some(newest) = leases.iter().max_by_key(|lease| lease.renewed) else {
        return Verdict::Fine;
    };
    let moves = |lease: &Held| {
        known
            .get(&lease.path)
            .is_some_and(|(renewed, _)| *renewed != lease.renewed)
    };
    if leases.iter().any(moves) {
        return Verdict::Fine;
    }
    let stands = |lease: &Held| now.duration_since(since(lease, known, now)) >= lease.patience;
    if !leases.iter().all(stands) {
        return Verdict::Unknown;
    }
    // Not since when it was looked at: another replica, or the next one, is to say the same.
    let given_up = |lease: &Held| {
        let written = lease.written.unwrap_or_else(|| since(lease, known, now));
        written.checked_add(lease.patience).unwrap_or(Timestamp::MAX)
    };
    let given_up = leases.iter().map(given_up).max().unwrap_or(now);
    Verdict::Abandoned(Abandoned {
        lease: newest.path.clone(),
        renewed: newest.renewed,
        given_up,
    })
}

#[cfg(test)]
mod tests;
