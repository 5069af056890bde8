//! The task of one watch: from the API server's stream into the store.

use std::{collections::HashSet, fmt::Debug, pin::pin, time::Duration};

use futures::StreamExt;
use kube::{
    Api, Resource,
    core::DeserializeGuard,
    runtime::watcher::{self, Event},
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use runtime::{readiness::Gate, report::Chain};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::store::{Key, Store};
use crate::backoff::PerObject;

/// Wait after a first failure, and at most. Short: a CRD that is installed, or an API server that comes back, should
/// be noticed soon, and a process has a dozen watches at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(5);

/// Refusals in a row after which the watch begins anew with a list instead of going on where it was: the API
/// server may have been put back to an older state, in which that place does not exist yet. Silence does not
/// count: an API server that was away can go on, and a list of everything is the last thing it needs then.
const FRESH_START: u32 = 5;

pub(super) struct Driver<K, T, F> {
    pub(super) api: Api<DeserializeGuard<K>>,
    pub(super) config: watcher::Config,
    pub(super) gate: Gate,
    pub(super) resource: String,
    pub(super) malformed: Counter,
    pub(super) malformed_now: Gauge,
    pub(super) objects: Gauge,
    pub(super) failures: Counter,
    pub(super) store: Store<T>,
    pub(super) project: F,
}

impl<K, T, F> Driver<K, T, F>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + 'static,
    T: PartialEq + Send + Sync + 'static,
    F: FnMut(K) -> Option<T> + Send,
{
    pub(super) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => (),
            () = self.watch() => (),
        }
    }

    /// Never ends.
    async fn watch(&mut self) {
        let backoff = PerObject::new(FIRST_WAIT, MOST_WAIT);
        loop {
            let mut events = pin!(watcher::watcher(self.api.clone(), self.config.clone()));
            let mut listed = None;
            let mut refusals = 0;
            while refusals < FRESH_START {
                match events.next().await {
                    Some(Ok(event)) => {
                        // The beginning of a list is told before anything was asked of the server.
                        if !matches!(event, Event::Init) {
                            backoff.succeeded(&());
                            refusals = 0;
                        }
                        self.take(event, &mut listed);
                    }
                    Some(Err(error)) => {
                        self.failed(&error);
                        refusals += u32::from(refusal(&error).is_some());
                        let wait = backoff.failed((), &mut rand::rng());
                        sleep(wait).await;
                    }
                    None => break,
                }
            }
        }
    }

    /// Applies one event; `listed` are the keys of the list that is coming in.
    fn take(&mut self, event: Event<DeserializeGuard<K>>, listed: &mut Option<HashSet<Key>>) {
        match event {
            Event::Init => *listed = Some(HashSet::new()),
            Event::InitApply(object) => {
                let key = self.put(object);
                if let Some(listed) = listed {
                    listed.insert(key);
                }
            }
            Event::InitDone => {
                if let Some(listed) = listed.take() {
                    self.store.keep(|key| listed.contains(key));
                }
                if !self.store.is_synced() {
                    tracing::info!(resource = self.resource, objects = self.store.len(), "watches");
                }
                self.store.set_synced();
                self.gate.open();
            }
            Event::Apply(object) => drop(self.put(object)),
            Event::Delete(object) => self.store.remove(&Key::of(object.meta())),
        }
        self.objects
            .set(i64::try_from(self.store.len()).unwrap_or(i64::MAX));
        self.malformed_now
            .set(i64::try_from(self.store.malformed_len()).unwrap_or(i64::MAX));
    }

    fn put(&mut self, object: DeserializeGuard<K>) -> Key {
        let key = Key::of(object.meta());
        match object.0 {
            Ok(object) => match (self.project)(object) {
                Some(projection) => self.store.put(key.clone(), projection),
                None => self.store.remove(&key),
            },
            Err(invalid) => {
                self.malformed.inc();
                tracing::warn!(resource = self.resource, object = %key, error = invalid.error, "cannot be read");
                self.store.put_malformed(key.clone(), &invalid.error);
            }
        }
        key
    }

    fn failed(&self, error: &watcher::Error) {
        self.failures.inc();
        let resource = &self.resource;
        let why = match refusal(error) {
            Some(status) if status.code == 404 && resource.contains('.') => {
                format!("CRD {resource} is not installed")
            }
            Some(status) => status.message.clone(),
            None => "the API server does not answer".to_owned(),
        };
        // Once synced, what is known stays in use: a process that cannot watch for a while is still ready.
        if self.store.is_synced() {
            tracing::warn!(resource, why, error = %Chain(error), "the watch is interrupted");
        } else {
            tracing::warn!(resource, why, error = %Chain(error), "cannot watch yet");
            self.gate.close(why);
        }
    }
}

/// What the API server said, if it was it that refused.
fn refusal(error: &watcher::Error) -> Option<&kube::core::Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}
