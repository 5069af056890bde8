//! Pods in the order in which they were made and deleted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt,
    runtime::watcher::{self, Event, watcher},
};
use tokio::task::JoinHandle;

use super::side::Side;

/// Listens to the pods of one side.
pub(crate) struct Log {
    entries: Arc<Mutex<Vec<(String, String)>>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    made: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl Log {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no set of tasks; it ends with the log"
    )]
    pub(crate) fn of(side: &Side) -> Log {
        let entries: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let (into, pods) = (entries.clone(), side.api::<Pod>());
        let task = tokio::spawn(async move {
            let events = watcher(pods, watcher::Config::default());
            pin_mut!(events);
            let mut seen = Seen::default();
            while let Some(event) = events.next().await {
                let (pod, gone) = match event {
                    Ok(Event::Apply(pod) | Event::InitApply(pod)) => (pod, false),
                    Ok(Event::Delete(pod)) => (pod, true),
                    _ => continue,
                };
                into.lock()
                    .unwrap()
                    .extend(seen.take(&pod, gone).map(|sign| (pod.name_any(), sign)));
            }
        });
        Log { entries, task }
    }

    /// All of them in order; or, where order is not promised, those of each pod in order.
    pub(crate) fn entries(&self, is_ordered: bool) -> BTreeMap<String, Vec<String>> {
        let mut sorted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (pod, sign) in self.entries.lock().unwrap().iter() {
            let (key, entry) = match is_ordered {
                true => ("all".to_owned(), format!("{sign}{pod}")),
                false => (pod.clone(), sign.clone()),
            };
            sorted.entry(key).or_default().push(entry);
        }
        sorted
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    /// `+` when it is new, `-` when its deletion begins.
    fn take(&mut self, pod: &Pod, gone: bool) -> impl Iterator<Item = String> + use<> {
        let uid = pod.uid().unwrap();
        let made = self.made.insert(uid.clone()).then(|| "+".to_owned());
        let going = gone || pod.metadata.deletion_timestamp.is_some();
        let deleted = (going && self.deleted.insert(uid)).then(|| "-".to_owned());
        made.into_iter().chain(deleted)
    }
}
