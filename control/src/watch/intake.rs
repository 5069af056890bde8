//! From the events of one watch into its store: a list replaces what was there, and what cannot be read is named.

use std::{collections::HashSet, marker::PhantomData};

use arcstr::ArcStr;
use kube::{
    Resource,
    core::{DeserializeGuard, ObjectMeta},
    runtime::watcher::Event,
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use runtime::readiness::Gate;

use super::{Key, Store, Words};

pub(super) struct Intake<K, T, F> {
    pub(super) resource: String,
    pub(super) store: Store<T>,
    pub(super) gate: Gate,
    pub(super) metrics: Metrics,
    words: Option<Words>,
    project: F,
    /// The keys of the list that is coming in, if one is.
    listed: Option<HashSet<Key>>,
    /// Of the key made last: a list comes by namespace, whose name its objects are to share.
    namespace: ArcStr,
    kind: PhantomData<fn(K)>,
}

/// The figures of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Metrics {
    pub(super) malformed: Counter,
    pub(super) malformed_now: Gauge,
    pub(super) objects: Gauge,
    pub(super) failures: Counter,
}

impl<K, T, F> Intake<K, T, F>
where
    K: Resource<DynamicType = ()>,
    T: PartialEq,
    F: FnMut(K) -> Option<T>,
{
    pub(super) fn new(
        resource: String,
        store: Store<T>,
        gate: Gate,
        metrics: Metrics,
        words: Option<Words>,
        project: F,
    ) -> Self {
        Self {
            resource,
            store,
            gate,
            metrics,
            words,
            project,
            listed: None,
            namespace: "".into(),
            kind: PhantomData,
        }
    }

    pub(super) fn take(&mut self, event: Event<DeserializeGuard<K>>) {
        match event {
            Event::Init => self.listed = Some(HashSet::new()),
            Event::InitApply(object) => {
                let key = self.put(object);
                if let Some(listed) = &mut self.listed {
                    listed.insert(key);
                }
            }
            Event::InitDone => self.list_done(),
            Event::Apply(object) => drop(self.put(object)),
            Event::Delete(object) => self.store.remove(&Key::of(object.meta())),
        }
        self.metrics
            .objects
            .set(i64::try_from(self.store.len()).unwrap_or(i64::MAX));
        self.metrics
            .malformed_now
            .set(i64::try_from(self.store.malformed_len()).unwrap_or(i64::MAX));
    }

    fn list_done(&mut self) {
        if let Some(listed) = self.listed.take() {
            self.store.keep(|key| listed.contains(key));
        }
        if !self.store.is_synced() {
            tracing::info!(resource = self.resource, objects = self.store.len(), "watches");
        }
        self.store.set_synced();
        self.gate.open();
    }

    fn key(&mut self, meta: &ObjectMeta) -> Key {
        if let Some(words) = &self.words {
            return Key {
                namespace: words.share(meta.namespace.as_deref().unwrap_or_default()),
                name: words.share(meta.name.as_deref().unwrap_or_default()),
            };
        }
        let mut key = Key::of(meta);
        if key.namespace == self.namespace {
            key.namespace = self.namespace.clone();
        } else {
            self.namespace = key.namespace.clone();
        }
        key
    }

    fn put(&mut self, object: DeserializeGuard<K>) -> Key {
        let key = self.key(object.meta());
        match object.0 {
            Ok(object) => match (self.project)(object) {
                Some(projection) => self.store.put(key.clone(), projection),
                None => self.store.remove(&key),
            },
            Err(invalid) => {
                self.metrics.malformed.inc();
                tracing::warn!(resource = self.resource, object = %key, error = invalid.error, "cannot be read");
                self.store.put_malformed(key.clone(), &invalid.error);
            }
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{core::DeserializeGuard, runtime::watcher::Event};
    use runtime::readiness::Readiness;
    use serde_json::{Value, json};
    use tokio_util::sync::CancellationToken;

    use super::{ArcStr, Intake, Metrics, Words};
    use crate::watch::{Key, Store};

    type Guarded = DeserializeGuard<ConfigMap>;

    fn object(name: &str, data: &Value) -> Guarded {
        serde_json::from_value(json!({ "metadata": { "namespace": "demo", "name": name }, "data": data }))
            .unwrap()
    }

    fn size(map: ConfigMap) -> Option<u32> {
        map.data?.get("size")?.parse().ok()
    }

    fn key(name: &str) -> Key {
        Key::new("demo", name)
    }

    #[test]
    fn a_second_list_deletes_what_went_meanwhile_and_readiness_waits_for_the_first() {
        let readiness = Readiness::new(CancellationToken::new());
        let store = Store::new();
        let gate = readiness.gate("watching configmaps");
        let mut intake = Intake::new(
            "configmaps".to_owned(),
            store.clone(),
            gate,
            Metrics::default(),
            None,
            size,
        );
        let one = json!({ "size": "1" });
        for event in [
            Event::Init,
            Event::InitApply(object("a", &one)),
            Event::InitApply(object("b", &one)),
        ] {
            intake.take(event);
        }
        assert!(!store.is_synced() && !readiness.is_ready());
        intake.take(Event::InitDone);
        assert!(store.is_synced() && readiness.is_ready());
        intake.take(Event::Apply(object("c", &one)));
        assert_eq!((store.len(), intake.metrics.objects.get()), (3, 3));

        // The list breaks off once and begins anew: what the first attempt named does not count.
        for event in [Event::Init, Event::InitApply(object("b", &one)), Event::Init] {
            intake.take(event);
        }
        assert_eq!(store.len(), 3, "nothing goes before the list is complete");
        intake.take(Event::InitApply(object("a", &json!({ "size": "2" }))));
        intake.take(Event::InitDone);
        assert_eq!(
            (store.len(), store.get(&key("a")).map(|size| *size)),
            (1, Some(2))
        );
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_what_is_not_wanted_is_not_kept() {
        let readiness = Readiness::new(CancellationToken::new());
        let store = Store::new();
        let gate = readiness.gate("watching configmaps");
        let mut intake = Intake::new(
            "configmaps".to_owned(),
            store.clone(),
            gate,
            Metrics::default(),
            None,
            size,
        );
        intake.take(Event::Apply(object("a", &json!({ "size": "1" }))));
        intake.take(Event::Apply(object("a", &json!("no map"))));
        intake.take(Event::Apply(object("b", &json!({ "other": "1" }))));
        assert!(store.malformed(&key("a")).is_some() && store.is_empty());
        assert_eq!(
            (intake.metrics.malformed.get(), intake.metrics.malformed_now.get()),
            (1, 1)
        );
        intake.take(Event::Delete(object("a", &json!("no map"))));
        assert_eq!(
            (store.malformed_len(), intake.metrics.malformed_now.get()),
            (0, 0)
        );
    }

    #[test]
    fn names_are_kept_once_with_all_that_has_the_words() {
        let readiness = Readiness::new(CancellationToken::new());
        let (store, words) = (Store::new(), Words::default());
        let mut intake = Intake::new(
            "configmaps".to_owned(),
            store.clone(),
            readiness.gate("watching configmaps"),
            Metrics::default(),
            Some(words.clone()),
            size,
        );
        let name = words.share("a");
        intake.take(Event::Apply(object("a", &json!({ "size": "1" }))));
        let all = store.all();
        let [(key, _)] = all.as_slice() else {
            panic!("{all:?}")
        };
        assert!(ArcStr::ptr_eq(&key.name, &name));
        assert!(ArcStr::ptr_eq(&key.namespace, &words.share("demo")));
    }
}
