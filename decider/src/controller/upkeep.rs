//! What is done for time alone: numbers get too old, nodes are forgotten, gauges are set.

use std::time::Duration;

use jiff::SignedDuration;

use super::Context;

/// A node not heard of for this long is forgotten; its volumes have been stale for as long.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Between two looks for nodes of which nothing is heard.
const STALENESS: Duration = Duration::from_millis(500);
/// Between two looks at what is connected.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Has databases looked at whose numbers have become too old to act upon: nothing else tells of those at rest.
pub(super) async fn staleness(context: &Context) {
    let mut ticks = tokio::time::interval(STALENESS);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let horizon = context.stale_before(context.parts.clock.now());
        context.parts.store.tell_stale(horizon);
    }
}

/// Counts what is there and forgets what is long gone.
pub(super) async fn housekeeping(context: &Context) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        context
            .parts
            .metrics
            .observe(context.parts.store.streams(), context.parts.store.volumes());
        context.parts.metrics.oldest_growth(oldest_growth(context));
        let horizon = context.parts.clock.now().checked_sub(FORGET_AFTER);
        if let Ok(horizon) = horizon {
            context.parts.store.forget_before(horizon);
        }
    }
}

/// Age of the oldest growth that is under way.
fn oldest_growth(context: &Context) -> Duration {
    let open = context
        .parts
        .objects
        .requests
        .matching(|_, request| request.is_open());
    let oldest = open.into_iter().map(|(_, request)| request.created).min();
    let age = oldest.map(|created| context.parts.clock.now().duration_since(created));
    age.and_then(|age| age.try_into().ok()).unwrap_or(Duration::ZERO)
}
