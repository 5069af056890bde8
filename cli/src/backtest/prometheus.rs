//! Range exports of Prometheus: series of kubelet's volume statistics, joined by claim and time.

use std::collections::BTreeMap;

use api::names::{DATA_TEMPLATE, split_claim};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Reading;

/// Kubelet's names, and the field each is.
const USED: &str = "kubelet_volume_stats_used_bytes";
const CAPACITY: &str = "kubelet_volume_stats_capacity_bytes";
const AVAILABLE: &str = "kubelet_volume_stats_available_bytes";

/// Why an export cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error("it answers with an error: {0}")]
    Failed(String),
    #[error("not the answer of a range query: {0}")]
    Shape(serde_json::Error),
    #[error(
        "series of {0} are missing; query {{__name__=~\"kubelet_volume_stats_(used|capacity|available)_bytes\"}}"
    )]
    Missing(&'static str),
    #[error("{0:?} is not a number of bytes")]
    Number(String),
    #[error("{0} is not a time")]
    Time(f64),
}

#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// What is known of a claim at a time.
#[derive(Debug, Default)]
struct Point {
    used: Option<u64>,
    capacity: Option<u64>,
    available: Option<u64>,
}

/// Answers as they come together.
#[derive(Debug, Default)]
pub(super) struct Export {
    points: BTreeMap<(String, String, i64), Point>,
    answers: usize,
}

impl Export {
    pub(super) fn add(&mut self, value: Value) -> Result<(), ExportError> {
        let Answer { status, error, data } = serde_json::from_value(value).map_err(ExportError::Shape)?;
        let data = data
            .filter(|_| status == "success")
            .ok_or(ExportError::Failed(error))?;
        self.answers += 1;
        data.result.into_iter().try_for_each(|series| self.series(series))
    }

    fn series(&mut self, series: Series) -> Result<(), ExportError> {
        let label = |name: &str| series.metric.get(name).cloned().unwrap_or_default();
        let (namespace, claim) = (label("namespace"), label("persistentvolumeclaim"));
        for (second, text) in series.values {
            let at = milliseconds(second)?;
            let bytes = bytes(&text)?;
            let point = self
                .points
                .entry((namespace.clone(), claim.clone(), at))
                .or_default();
            match label("__name__").as_str() {
                USED => point.used = Some(bytes),
                CAPACITY => point.capacity = Some(bytes),
                AVAILABLE => point.available = Some(bytes),
                _ => {}
            }
        }
        Ok(())
    }

    /// Where used and capacity are known. Of claims that are no database's, the claim is taken for one.
    pub(super) fn readings(self) -> Result<Vec<Reading>, ExportError> {
        let Self { points, answers } = self;
        let all = points.values();
        let has = |test: fn(&Point) -> bool| answers == 0 || all.clone().any(test);
        if !has(|p| p.used.is_some()) {
            return Err(ExportError::Missing(USED));
        }
        if !has(|p| p.capacity.is_some()) {
            return Err(ExportError::Missing(CAPACITY));
        }
        let readings = points.into_iter().filter_map(|((namespace, claim, at), point)| {
            let database = split_claim(&claim, DATA_TEMPLATE).map_or(claim.as_str(), |(set, _)| set);
            Some(Reading {
                at: Timestamp::from_millisecond(at).ok()?,
                namespace,
                database: database.to_owned(),
                size: None,
                capacity: point.capacity?,
                available: point.available,
                used: point.used?,
                expansion_millis: None,
                claim,
            })
        });
        Ok(readings.collect())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "in the range of timestamps, which is checked"
)]
fn milliseconds(second: f64) -> Result<i64, ExportError> {
    let at = (second * 1_000.0).round();
    if at.is_finite() && at.abs() < 1e15 {
        Ok(at as i64)
    } else {
        Err(ExportError::Time(second))
    }
}

/// Prometheus writes large numbers as floats.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in the range of sizes, which is checked"
)]
fn bytes(text: &str) -> Result<u64, ExportError> {
    let number: f64 = text.parse().map_err(|_| ExportError::Number(text.to_owned()))?;
    if (0.0..1e18).contains(&number) {
        Ok(number as u64)
    } else {
        Err(ExportError::Number(text.to_owned()))
    }
}
