//! The stages of one volume, from the measurement that its growth was decided by to its larger filesystem.

use api::ops::v1alpha1::{Decided, PassedStage};
use executor_core::request::Stage;
use jiff::Timestamp;

/// What was before the executor knew of the request.
const MEASURED: &str = "Measured";
const DECIDED: &str = "Decided";

/// What was known of the claim when the growth was decided, and when that was; nothing of a request that was made by hand.
pub(super) fn before(claim: &str, decided: Option<&Decided>) -> impl Iterator<Item = PassedStage> {
    let measured = decided.and_then(|decided| decided.measured.get(claim));
    let measured = measured.map(|at| line(MEASURED, *at));
    let decided = decided.map(|decided| line(DECIDED, decided.at));
    measured.into_iter().chain(decided)
}

/// A stage that was seen at this time, unless it is known from before.
pub(super) fn pass(stages: &mut Vec<PassedStage>, stage: Stage, at: Timestamp) {
    if stages.iter().all(|known| known.stage != stage.as_str()) {
        stages.push(line(stage.as_str(), at));
    }
}

fn line(stage: &str, at: Timestamp) -> PassedStage {
    PassedStage {
        stage: stage.to_owned(),
        at: format!("{at:.3}"),
    }
}
