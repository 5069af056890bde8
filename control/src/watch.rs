//! Watches: small projections of the API server's objects, kept in memory and told when they change.
//!
//! A watch keeps of each object only what its projection takes from it, because whole objects are 10 KiB and
//! more. What it cannot read it names, counts and steps over: one malformed object never blinds us to the
//! others. An API server that is away, or a CRD that is not installed, is waited for, with the reason on `/ready`.

mod driver;
mod intake;
mod key;
mod shared;
mod store;

use kube::{
    Api, Client, Resource,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::watcher,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use runtime::readiness::Readiness;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use self::intake::Intake;
pub use self::{
    key::Key,
    shared::{Shared, Words},
    store::{Change, Changes, Store},
};

/// How long one watch request lasts, in seconds; then the next goes on where it ended. Short, because a connection
/// that died silently is noticed only at the end of it.
pub const WATCH_SECONDS: u32 = 120;

/// Objects per page of a list.
const PAGE: u32 = 500;

/// Makes the watches of a process.
#[derive(Clone)]
pub struct Watches {
    client: Client,
    readiness: Readiness,
    stop: CancellationToken,
    metrics: Metrics,
    words: Option<Words>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: String,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    malformed: Family<Kind, Counter>,
    malformed_now: Family<Kind, Gauge>,
    objects: Family<Kind, Gauge>,
    failures: Family<Kind, Counter>,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self {
            malformed,
            malformed_now,
            objects,
            failures,
        } = &metrics;
        registry.register(
            "malformed_objects",
            "Objects seen that could not be read",
            malformed.clone(),
        );
        registry.register(
            "malformed_objects_present",
            "Objects that cannot be read",
            malformed_now.clone(),
        );
        registry.register("watched_objects", "Objects kept in memory", objects.clone());
        registry.register(
            "watch_failures",
            "Lists and watches that failed",
            failures.clone(),
        );
        metrics
    }
}

impl Watches {
    /// The watches of a process, which end when `stop` is cancelled. Make one, and clone it.
    #[must_use]
    pub fn new(
        client: Client,
        readiness: &Readiness,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Self {
        Self {
            client,
            readiness: readiness.clone(),
            stop,
            metrics: Metrics::register(registry),
            words: None,
        }
    }

    /// The same, whose objects have these words for their names. Worth it for kinds that are named by others.
    #[must_use]
    pub fn sharing(&self, words: &Words) -> Self {
        Self {
            words: Some(words.clone()),
            ..self.clone()
        }
    }

    /// Watches all objects of a kind, in all namespaces: [`Watches::projected`] without a selector.
    pub fn all<K, T, F>(
        &self,
        project: F,
    ) -> (
        Store<T>,
        impl Future<Output = anyhow::Result<()>> + Send + 'static,
    )
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + std::fmt::Debug + Send + 'static,
        T: PartialEq + Send + Sync + 'static,
        F: FnMut(K) -> Option<T> + Send + 'static,
    {
        self.projected(Api::all(self.client.clone()), watcher::Config::default(), project)
    }

    /// Watches the objects of a kind in one namespace: [`Watches::projected`] without a selector.
    pub fn within<K, T, F>(
        &self,
        namespace: &str,
        project: F,
    ) -> (
        Store<T>,
        impl Future<Output = anyhow::Result<()>> + Send + 'static,
    )
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + std::fmt::Debug
            + Send
            + 'static,
        T: PartialEq + Send + Sync + 'static,
        F: FnMut(K) -> Option<T> + Send + 'static,
    {
        self.projected(
            Api::namespaced(self.client.clone(), namespace),
            watcher::Config::default(),
            project,
        )
    }

    /// Watches objects of kind `K` and keeps of each what `project` takes from it; `None` keeps nothing.
    ///
    /// The returned task fills the store until the process ends; it never fails because of the API server. Selectors
    /// come with `config`; its page size and time limit are set here. A change that leaves the projection equal
    /// is not told. Readiness waits for the first full list, as `watching <resource>`.
    pub fn projected<K, T, F>(
        &self,
        api: Api<DeserializeGuard<K>>,
        config: watcher::Config,
        project: F,
    ) -> (
        Store<T>,
        impl Future<Output = anyhow::Result<()>> + Send + 'static,
    )
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + std::fmt::Debug + Send + 'static,
        T: PartialEq + Send + Sync + 'static,
        F: FnMut(K) -> Option<T> + Send + 'static,
    {
        let resource = resource::<K>();
        let kind = Kind {
            kind: K::kind(&()).into_owned(),
        };
        let store = Store::new();
        let figures = intake::Metrics {
            malformed: self.metrics.malformed.get_or_create_owned(&kind),
            malformed_now: self.metrics.malformed_now.get_or_create_owned(&kind),
            objects: self.metrics.objects.get_or_create_owned(&kind),
            failures: self.metrics.failures.get_or_create_owned(&kind),
        };
        let gate = self.readiness.gate(format!("watching {resource}"));
        let intake = Intake::new(
            resource,
            store.clone(),
            gate,
            figures,
            self.words.clone(),
            project,
        );
        let config = config.page_size(PAGE).timeout(WATCH_SECONDS);
        let stop = self.stop.clone();
        (store, async move {
            tokio::select! {
                () = stop.cancelled() => (),
                () = driver::watch(api, config, intake) => (),
            }
            Ok(())
        })
    }
}

/// The resource as a CRD is named: `postgreses.kubedb.com`; `pods` in the core group.
fn resource<K: Resource<DynamicType = ()>>() -> String {
    let (plural, group) = (K::plural(&()), K::group(&()));
    if group.is_empty() {
        plural.into_owned()
    } else {
        format!("{plural}.{group}")
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_*");
        let Metrics {
            malformed,
            malformed_now,
            objects,
            failures,
        } = Metrics::register(&mut registry);
        let kind = Kind { kind: "Pod".into() };
        for counter in [malformed, failures] {
            drop(counter.get_or_create(&kind));
        }
        for gauge in [malformed_now, objects] {
            drop(gauge.get_or_create(&kind));
        }
        let page = include_str!("../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "### Watches")
        );
    }
}
