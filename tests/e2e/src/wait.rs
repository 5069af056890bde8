//! Waiting for a condition, never for a time.

use std::time::Duration;

use anyhow::{Context, bail};
use futures::{StreamExt, pin_mut};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;

use crate::{Objects, objects::Kind};

/// How long a growth may take in a test on a loaded two-core machine; the benchmarks judge speed, not the tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Objects {
    /// Watches the object until `wanted` holds and returns it as it then is. `None` is an absent object.
    ///
    /// # Errors
    /// After [`PATIENCE`]: with `what` was awaited and the object as last seen.
    pub async fn until(
        &self,
        kind: &Kind,
        name: &str,
        what: &str,
        wanted: impl Fn(Option<&Value>) -> bool,
    ) -> anyhow::Result<Option<Value>> {
        self.until_within(PATIENCE, kind, name, what, wanted).await
    }

    /// As [`Objects::until`], with another patience.
    ///
    /// # Errors
    /// As [`Objects::until`].
    pub async fn until_within(
        &self,
        patience: Duration,
        kind: &Kind,
        name: &str,
        what: &str,
        wanted: impl Fn(Option<&Value>) -> bool,
    ) -> anyhow::Result<Option<Value>> {
        let events = watcher(
            self.api(kind),
            watcher::Config::default().fields(&format!("metadata.name={name}")),
        )
        .default_backoff();
        pin_mut!(events);
        let mut last: Option<Value> = None;
        let watched = tokio::time::timeout(patience, async {
            let mut listing: Option<Value> = None;
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(object)) => last = Some(serde_json::to_value(object)?),
                    Ok(watcher::Event::Delete(_)) => last = None,
                    Ok(watcher::Event::Init) => {
                        listing = None;
                        continue;
                    }
                    Ok(watcher::Event::InitApply(object)) => {
                        listing = Some(serde_json::to_value(object)?);
                        continue;
                    }
                    Ok(watcher::Event::InitDone) => last = listing.take(),
                    Err(_) => continue,
                }
                if wanted(last.as_ref()) {
                    return anyhow::Ok(last.clone());
                }
            }
            bail!("the watch ended")
        });
        match watched.await {
            Ok(found) => found,
            Err(_) => {
                let seen = last.map_or_else(|| "absent".to_owned(), |object| object["status"].to_string());
                bail!(
                    "{name} in {}: not {what} within {patience:?}; its status: {seen}",
                    self.namespace()
                )
            }
        }
    }

    /// As [`Objects::until`], for an object that must exist.
    ///
    /// # Errors
    /// As [`Objects::until`].
    pub async fn until_some(
        &self,
        kind: &Kind,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        self.until(kind, name, what, |seen| seen.is_some_and(&wanted))
            .await?
            .with_context(|| format!("{name} is gone"))
    }

    /// Watches every object of a kind until one of them fits.
    ///
    /// # Errors
    /// After [`PATIENCE`].
    pub async fn until_any(
        &self,
        kind: &Kind,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let events = watcher(self.api(kind), watcher::Config::default())
            .default_backoff()
            .applied_objects();
        pin_mut!(events);
        let watched = tokio::time::timeout(PATIENCE, async {
            while let Some(event) = events.next().await {
                let Ok(object) = event else { continue };
                let value = serde_json::to_value(object)?;
                if wanted(&value) {
                    return anyhow::Ok(value);
                }
            }
            bail!("the watch ended")
        });
        watched
            .await
            .with_context(|| format!("in {}: no {what} within {PATIENCE:?}", self.namespace()))?
    }
}

/// The status of the condition of that type, with its reason and message: `("True", "Successful", "...")`.
#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|c| c["type"] == kind)?;
    let word = |field: &str| found[field].as_str().unwrap_or_default();
    Some((word("status"), word("reason"), word("message")))
}

/// The object's `status.phase`.
#[must_use]
pub fn phase(object: &Value) -> &str {
    object
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
