//! What the API server remembers of how something came about: creation times, Events, conditions, and who wrote which field
//! when. Most of these times are whole seconds.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Objects, objects::kinds, wait};

/// Steps with their times, as they are found.
#[derive(Debug, Default)]
pub struct History(Vec<(String, Timestamp)>);

impl History {
    /// The next step, and when it happened.
    ///
    /// # Errors
    /// When it happened before the one before it. Of two times of which one is a whole second, only the seconds are compared.
    pub fn then(&mut self, step: &str, at: Timestamp) -> anyhow::Result<()> {
        if let Some((before, earlier)) = self.0.last() {
            let coarse = [*earlier, at].iter().any(|time| time.subsec_nanosecond() == 0);
            let in_order = if coarse {
                earlier.as_second() <= at.as_second()
            } else {
                *earlier <= at
            };
            ensure!(in_order, "{step} ({at}) came before {before} ({earlier})");
        }
        self.0.push((step.to_owned(), at));
        Ok(())
    }

    /// Prints the steps with the seconds since the first.
    pub fn print(&self) {
        for (step, at) in &self.0 {
            let since = self
                .0
                .first()
                .map_or(0.0, |(_, first)| at.duration_since(*first).as_secs_f64());
            println!("{since:7.1} s  {step}");
        }
    }
}

/// When the object was created.
///
/// # Errors
/// When it does not say.
pub fn created(object: &Value) -> anyhow::Result<Timestamp> {
    time(&object["metadata"]["creationTimestamp"])
}

/// When `manager` last wrote the field at `path` (`spec/replicas`), as the object's managed fields say.
///
/// # Errors
/// When it never did, or somebody else has since.
pub fn wrote(object: &Value, manager: &str, path: &str) -> anyhow::Result<Timestamp> {
    let path: String = path.split('/').map(|field| format!("/f:{field}")).collect();
    let entries = object["metadata"]["managedFields"].as_array();
    let written = entries
        .into_iter()
        .flatten()
        .find(|entry| entry["manager"] == manager && entry["fieldsV1"].pointer(&path).is_some());
    let entry = written
        .with_context(|| format!("{manager} did not write {path} of {}", object["metadata"]["name"]))?;
    time(&entry["time"])
}

/// When the condition last became what it is.
///
/// # Errors
/// When there is none of that type with that status.
pub fn became(object: &Value, kind: &str, status: &str) -> anyhow::Result<Timestamp> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == kind && condition["status"] == status);
    let found = found.with_context(|| {
        format!(
            "no condition {kind} {status} in {}",
            object["status"]["conditions"]
        )
    })?;
    time(&found["lastTransitionTime"])
}

/// When Events with that reason, and that word in their note, were told of the object, in order.
///
/// # Errors
/// When there is none in time: Events are written beside the work, not before it.
pub async fn told(
    objects: &Objects,
    kind: &str,
    name: &str,
    reason: &str,
    word: &str,
) -> anyhow::Result<Vec<Timestamp>> {
    let ours = |event: &Value| {
        event["regarding"]["kind"] == kind
            && event["regarding"]["name"] == name
            && event["reason"] == reason
            && event["note"].as_str().is_some_and(|note| note.contains(word))
    };
    let what = format!("Event {reason} of {kind} {name}");
    objects.until_any(&kinds::EVENT, &what, ours).await?;
    let all = objects.list(&kinds::EVENT).await?;
    let times: Vec<_> = all.iter().filter(|event| ours(event)).map(event_time).collect();
    let mut times = times.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times)
}

fn event_time(event: &Value) -> anyhow::Result<Timestamp> {
    let exact = &event["eventTime"];
    time(if exact.is_null() {
        &event["deprecatedFirstTimestamp"]
    } else {
        exact
    })
}

fn time(value: &Value) -> anyhow::Result<Timestamp> {
    let text = value.as_str().context("no time")?;
    text.parse().with_context(|| format!("{text} is no time"))
}

/// Whether `owner` is named as an owner of the object.
#[must_use]
pub fn belongs_to(object: &Value, kind: &str, owner: &str) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .any(|reference| reference["kind"] == kind && reference["name"] == owner)
}

/// Whether the Postgres is not paused any more.
#[must_use]
pub fn resumed(postgres: &Value) -> bool {
    wait::condition(postgres, "Paused").is_none_or(|(status, ..)| status != "True")
}
