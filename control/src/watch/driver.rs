//! The task of one watch: asks, and asks again after a failure, for as long as the process lives.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::StreamExt;
use kube::{
    Api, Resource,
    core::{DeserializeGuard, Status},
    runtime::watcher::{self, Event},
};
use runtime::report::Chain;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::intake::Intake;
use crate::backoff::PerObject;

/// Wait after a first failure, and at most. Short: a CRD that is installed, or an API server that comes back, should
/// be noticed soon, and a process has a dozen watches at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(5);

/// Refusals in a row after which the watch begins anew with a list instead of going on where it was: the API
/// server may have been put back to an older state, in which that place does not exist yet. Silence does not
/// count: an API server that was away can go on, and a list of everything is the last thing it needs then.
const FRESH_START: u32 = 5;

/// Fills the store from `api`; never ends.
pub(super) async fn watch<K, T, F>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    mut intake: Intake<K, T, F>,
) where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + 'static,
    T: PartialEq + Send + Sync + 'static,
    F: FnMut(K) -> Option<T> + Send,
{
    let backoff = PerObject::new(FIRST_WAIT, MOST_WAIT);
    loop {
        let mut events = pin!(watcher::watcher(api.clone(), config.clone()));
        let mut refusals = 0;
        while refusals < FRESH_START {
            match events.next().await {
                Some(Ok(event)) => {
                    // The beginning of a list is told before anything was asked of the server.
                    if !matches!(event, Event::Init) {
                        backoff.succeeded(&());
                        refusals = 0;
                    }
                    intake.take(event);
                }
                Some(Err(error)) => {
                    interrupted(&intake, &error);
                    refusals += u32::from(refusal(&error).is_some());
                    let wait = backoff.failed((), &mut rand::rng());
                    sleep(wait).await;
                }
                None => break,
            }
        }
    }
}

fn interrupted<K, T: PartialEq, F>(intake: &Intake<K, T, F>, error: &watcher::Error) {
    intake.metrics.failures.inc();
    let resource = &intake.resource;
    let why = match refusal(error) {
        Some(status) if status.code == 404 && resource.contains('.') => {
            format!("CRD {resource} is not installed")
        }
        Some(status) => status.message.clone(),
        None => "the API server does not answer".to_owned(),
    };
    // Once synced, what is known stays in use: a process that cannot watch for a while is still ready.
    if intake.store.is_synced() {
        tracing::warn!(resource, why, error = %Chain(error), "the watch is interrupted");
    } else {
        tracing::warn!(resource, why, error = %Chain(error), "cannot watch yet");
        intake.gate.close(why);
    }
}

/// What the API server said, if it was it that refused.
fn refusal(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}
