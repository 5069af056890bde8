//! Doctor, asked until it says what is wanted.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use e2e::{World, wait::PATIENCE};
use serde_json::Value;

/// Doctor as it is asked: until it says what is wanted.
pub(crate) struct Doctor<'a> {
    pub(crate) world: &'a World,
    /// How far the time of day of whoever asks is off.
    pub(crate) clock: Option<&'a str>,
    pub(crate) patience: Duration,
}

impl<'a> Doctor<'a> {
    pub(crate) fn of(world: &'a World) -> Self {
        Self {
            world,
            clock: None,
            patience: PATIENCE,
        }
    }

    /// Waits until it says this: check, state, and a part of the words.
    pub(crate) async fn says(&self, wanted: &(&str, &str, &str)) -> anyhow::Result<()> {
        self.until(&format!("{wanted:?}"), |findings, _| {
            findings.iter().any(|found| fits(found, wanted))
        })
        .await
    }

    /// Waits until nothing is wrong any more, by the words and by the exit code.
    pub(crate) async fn says_all_is_sound(&self) -> anyhow::Result<()> {
        self.until("nothing wrong", |findings, well| {
            well && findings
                .iter()
                .all(|f| f["state"] != "Fault" && f["state"] != "Unknown")
        })
        .await
    }

    /// It can only be polled; its exit code is told, too.
    async fn until(&self, what: &str, wanted: impl Fn(&[Value], bool) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let (said, well) = self.ask().await?;
            let findings: Vec<Value> =
                serde_json::from_str(&said).with_context(|| format!("no findings: {said:?}"))?;
            if findings.iter().any(|f| f["state"] == "Fault") == well {
                bail!("the exit code does not tell of a fault: {said}");
            }
            if wanted(&findings, well) {
                return Ok(());
            }
            if began.elapsed() > self.patience {
                bail!("not said: {what}, but {said}");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn ask(&self) -> anyhow::Result<(String, bool)> {
        let question = ["highwater", "doctor", "--output", "json"];
        match self.clock {
            None => self.world.kubectl_says(&question).await,
            Some(off) => self.world.kubectl_says_at(off, &question).await,
        }
    }
}

fn fits(found: &Value, (check, state, words): &(&str, &str, &str)) -> bool {
    found["check"] == *check
        && found["state"] == *state
        && found["text"].as_str().is_some_and(|t| t.contains(words))
}
