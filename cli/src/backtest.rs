//! `backtest`: a recording replayed against a policy, by the decider's own rules.

mod policy;
mod prometheus;
mod replay;
mod report;
mod usage;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::Path,
};

use api::view;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use replay::{Full, Growth, Held, Outcome};

use crate::{args::BacktestArgs, error::Error, output, run::Verdict};

/// One measurement of one volume: a line of a recording. Sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Of the claim.
    pub namespace: String,
    /// The Postgres.
    pub database: String,
    /// The PersistentVolumeClaim.
    pub claim: String,
    /// What the claim has; without it, as much as the filesystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Size of the filesystem.
    pub capacity: u64,
    /// What could still be written; without it, all that is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// What is taken.
    pub used: u64,
    /// Milliseconds that the decider reckoned an expansion to take then; without it, as in the reading before, at first as
    /// the profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansion_millis: Option<u64>,
}

impl Reading {
    /// A volume of the view; `None` while it is not measured.
    pub(crate) fn of(database: &view::Database, volume: &view::Volume) -> Option<Self> {
        let usage = volume.usage?;
        Some(Self {
            at: volume.sampled_at?,
            namespace: database.namespace.clone(),
            database: database.name.clone(),
            claim: volume.claim.clone(),
            size: Some(volume.size),
            capacity: usage.capacity,
            available: Some(usage.available),
            used: usage.used,
            expansion_millis: database.expansion_millis,
        })
    }
}

/// Replays each database of a recording by itself.
pub(crate) fn backtest(args: BacktestArgs) -> Result<Verdict, Error> {
    let BacktestArgs {
        policy,
        usage,
        expansion_time,
        provisioner,
        output,
    } = args;
    let rules = policy::read(&policy, &text(&policy, policy::WANTED)?, provisioner.as_deref())?;
    let readings = usage::parse(&text(&usage, usage::WANTED)?).map_err(|problem| Error::Contents {
        path: usage.clone(),
        problem: format!("not {}: {problem}", usage::WANTED),
    })?;
    let outcomes: Vec<Outcome> = by_database(readings)
        .into_iter()
        .map(|(name, readings)| replay::replay(&name, readings, &rules, expansion_time))
        .collect();
    output::answer(output, &outcomes, || report::render(&outcomes))?;
    let full = outcomes.iter().any(|o| !o.full.is_empty());
    Ok(if full { Verdict::Wrong } else { Verdict::Sound })
}

/// The readings of each database, in the order of time.
fn by_database(readings: Vec<Reading>) -> BTreeMap<String, Vec<Reading>> {
    let mut databases = BTreeMap::<_, Vec<Reading>>::new();
    for reading in readings {
        let name = format!("{}/{}", reading.namespace, reading.database);
        databases.entry(name).or_default().push(reading);
    }
    databases.values_mut().for_each(|all| all.sort_by_key(|r| r.at));
    databases
}

fn text(path: &Path, wanted: &'static str) -> Result<String, Error> {
    let read = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|source| Error::Read {
        path: path.to_owned(),
        wanted,
        source,
    })
}

#[cfg(test)]
mod tests;
