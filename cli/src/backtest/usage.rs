//! Recordings: text to readings.

use serde_json::Value;

use super::{Reading, prometheus};

/// What --usage names.
pub(super) const WANTED: &str =
    "a recording for --usage, as `kubectl highwater record` or Prometheus writes one (see backtest --help)";

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error("there is no measurement in it")]
    Empty,
    #[error("value {number}: {source}")]
    Json {
        number: usize,
        source: serde_json::Error,
    },
    #[error("{0}; the first line names the columns at, namespace, database, claim, capacity and used")]
    Csv(csv::Error),
    #[error("Prometheus: {0}")]
    Prometheus(prometheus::ExportError),
}

/// Reads any of the forms; which one it is shows.
pub(super) fn parse(text: &str) -> Result<Vec<Reading>, UsageError> {
    let readings = if text.trim_start().starts_with('{') {
        json(text)?
    } else {
        let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
        rows.collect::<Result<_, _>>().map_err(UsageError::Csv)?
    };
    if readings.is_empty() {
        return Err(UsageError::Empty);
    }
    Ok(readings)
}

/// JSON values one after the other: our own lines, or answers of Prometheus.
fn json(text: &str) -> Result<Vec<Reading>, UsageError> {
    let mut readings = Vec::new();
    let mut export = prometheus::Export::default();
    for (number, value) in (1..).zip(serde_json::Deserializer::from_str(text).into_iter::<Value>()) {
        let broken = |source| UsageError::Json { number, source };
        let value = value.map_err(broken)?;
        if value.get("status").is_some() {
            export.add(value).map_err(UsageError::Prometheus)?;
        } else {
            readings.push(serde_json::from_value(value).map_err(broken)?);
        }
    }
    readings.extend(export.readings().map_err(UsageError::Prometheus)?);
    Ok(readings)
}
