//! What Highwater decided while volumes were filled, for a comparison with a replay.

use std::{collections::BTreeMap, future::Future, time::Duration};

use anyhow::Context as _;
use e2e::{Objects, objects::kinds, wait};
use futures::{StreamExt as _, pin_mut};
use jiff::Timestamp;
use kube::{
    ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};
use runtime::clock::{Clock as _, SystemClock};
use serde_json::Value;

use super::Rule;

/// The decisions of one heat.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) rule: Rule,
    pub(super) delay: Duration,
    pub(super) namespace: String,
    /// An autoscaler of it: but for its database, all have the same policy.
    pub(super) policy: Value,
    pub(super) made: Vec<Made>,
    /// When the last volume had been filled.
    pub(super) until: Timestamp,
}

/// A growth that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) database: String,
    /// When the API server told of the request.
    pub(super) at: Timestamp,
    /// When it told that the request had been carried out.
    pub(super) done: Option<Timestamp>,
}

impl Live {
    /// How long the first request of a database took, if it was carried out before the heat was over; otherwise the middle one
    /// of the heat, which volumes of one heat are not alike in: they wait for each other.
    pub(super) fn expansion(&self, database: &str) -> Option<Duration> {
        let took = |made: &Made| Duration::try_from(made.done?.duration_since(made.at)).ok();
        let own = self.made.iter().filter(|made| made.database == database);
        let first = own.min_by_key(|made| made.at).and_then(took);
        let mut all: Vec<Duration> = self.made.iter().filter_map(took).collect();
        all.sort_unstable();
        first.or_else(|| all.get(all.len() / 2).copied())
    }
}

/// Runs `heat` and notes the requests that are made in its namespace meanwhile.
///
/// # Errors
/// Those of `heat`; and when the API server does not tell of requests.
pub(super) async fn noted<T>(
    objects: &Objects,
    heat: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(T, Vec<Made>)> {
    let events = watcher(objects.api(&kinds::REQUEST), watcher::Config::default())
        .default_backoff()
        .applied_objects();
    pin_mut!(events, heat);
    let mut made = BTreeMap::new();
    loop {
        let event = tokio::select! {
            done = &mut heat => return Ok((done?, made.into_values().collect())),
            event = events.next() => event.context("the watch ended")?,
        };
        // What failed is tried again by the watch itself.
        let Ok(request) = event else { continue };
        let now = SystemClock.now();
        let database = request.data["spec"]["databaseRef"]["name"].as_str();
        let database = database.context("a request names its database")?.to_owned();
        let known = made.entry(request.name_any()).or_insert(Made {
            database,
            at: now,
            done: None,
        });
        if wait::phase(&request.data) == "Successful" {
            known.done.get_or_insert(now);
        }
    }
}
