//! Watches: malformed objects, a kind that comes late, a deletion that nobody saw.

use control::watch::{Change, Changes, Key, Store, Watches};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Client, CustomResource,
    api::{Api, DeleteParams, Patch, PatchParams, PostParams},
    core::ObjectMeta,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use runtime::{build, readiness::Readiness};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    proxy::Mode,
    server::{DEADLINE, client, client_through_proxy, namespace, until},
    widget::{Widget, install, raw, widget},
};

struct Bench {
    watches: Watches,
    readiness: Readiness,
    registry: Registry,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Bench {
    fn new(client: &Client) -> Self {
        let stop = CancellationToken::new();
        let readiness = Readiness::new(stop.clone());
        let mut registry = build::registry("test");
        let watches = Watches::new(client.clone(), &readiness, &mut registry, stop);
        Self {
            watches,
            readiness,
            registry,
            tasks: JoinSet::new(),
        }
    }

    fn metric(&self, line: &str) -> bool {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text.lines().any(|l| l == line)
    }
}

async fn next<T: PartialEq>(changes: &mut Changes<T>) -> Change<T> {
    timeout(DEADLINE, changes.next())
        .await
        .expect("no change is told")
}

fn sizes(store: &Store<u32>) -> Vec<(String, u32)> {
    let mut all: Vec<_> = store
        .all()
        .into_iter()
        .map(|(key, size)| (key.to_string(), *size))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_malformed_object_blinds_nobody_and_is_named_until_it_is_mended() {
    let client = client().await;
    let namespace = namespace(&client, "malformed").await;
    install(&client, "test.highwater.dev").await;
    let widgets = raw(&client, &namespace);
    let create = async |name: &str, spec: serde_json::Value| {
        // Established comes a moment before the kind is served.
        until("the kind is served", async || {
            widgets
                .create(&PostParams::default(), &widget(name, &spec))
                .await
                .is_ok()
        })
        .await;
    };
    create("good", json!({ "size": 1 })).await;
    create("bad", json!({ "size": "many" })).await;

    let mut bench = Bench::new(&client);
    let (store, watch) = bench.watches.all(|widget: Widget| Some(widget.spec.size));
    bench.tasks.spawn(watch);
    timeout(DEADLINE, store.synced()).await.unwrap();
    let bad = Key::new(&namespace, "bad");
    assert_eq!(sizes(&store), [("malformed/good".to_owned(), 1)]);
    assert!(
        store.malformed(&bad).unwrap().contains("many"),
        "{:?}",
        store.malformed(&bad)
    );
    assert!(bench.readiness.is_ready(), "{:?}", bench.readiness.missing());
    assert!(bench.metric(r#"highwater_test_malformed_objects_total{kind="Widget"} 1"#));
    assert!(bench.metric(r#"highwater_test_malformed_objects_present{kind="Widget"} 1"#));

    // The same through the watch: one more bad one, and a good one after it.
    let mut changes = store.subscribe();
    create("worse", json!([])).await;
    create("later", json!({ "size": 3 })).await;
    until("the later one is seen", async || {
        store.get(&Key::new(&namespace, "later")).is_some()
    })
    .await;
    assert_eq!(store.malformed_len(), 2);

    while changes.try_next().is_some() {}
    let mend = Patch::Merge(json!({ "spec": { "size": 2 } }));
    widgets
        .patch("bad", &PatchParams::default(), &mend)
        .await
        .unwrap();
    let change = next(&mut changes).await;
    assert_eq!(
        (change.key, change.old, change.new.as_deref()),
        (bad.clone(), None, Some(&2))
    );
    let spoil = Patch::Merge(json!({ "spec": { "size": -1 } }));
    widgets
        .patch("bad", &PatchParams::default(), &spoil)
        .await
        .unwrap();
    let change = next(&mut changes).await;
    assert_eq!(
        (change.key, change.old.as_deref(), change.new),
        (bad.clone(), Some(&2), None)
    );
    widgets.delete("bad", &DeleteParams::default()).await.unwrap();
    until("the bad one is gone", async || store.malformed(&bad).is_none()).await;
}

/// What we read of a gadget, whose kind is not there at first.
#[derive(Debug, Clone, Deserialize, Serialize, CustomResource)]
#[kube(
    group = "late.highwater.dev",
    version = "v1",
    kind = "Widget",
    namespaced,
    schema = "disabled"
)]
#[kube(root = "LateWidget")]
struct LateWidgetSpec {}

#[tokio::test]
async fn a_kind_that_is_installed_later_is_waited_for_by_name() {
    let client = client().await;
    let mut bench = Bench::new(&client);
    let (store, watch) = bench.watches.all(|_: LateWidget| Some(()));
    bench.tasks.spawn(watch);
    let named = "watching widgets.late.highwater.dev: CRD widgets.late.highwater.dev is not installed";
    until("readiness names the CRD", async || {
        bench.readiness.missing() == [named]
    })
    .await;
    assert!(!store.is_synced());
    install(&client, "late.highwater.dev").await;
    timeout(DEADLINE, store.synced()).await.unwrap();
    assert!(bench.readiness.is_ready());
    assert!(bench.tasks.try_join_next().is_none(), "the watch has ended");
}

#[tokio::test]
async fn what_is_deleted_while_the_server_is_away_is_told() {
    let client = client().await;
    let namespace = namespace(&client, "away").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    for name in ["stays", "goes"] {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        };
        let map = ConfigMap {
            metadata,
            ..ConfigMap::default()
        };
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let (cut, proxy, _folder) = client_through_proxy().await;
    let mut bench = Bench::new(&cut);
    let (store, watch) = bench.watches.within(&namespace, |map: ConfigMap| {
        Some(map.data.unwrap_or_default().len())
    });
    bench.tasks.spawn(watch);
    timeout(DEADLINE, store.synced()).await.unwrap();
    let mut changes = store.subscribe();
    while changes.try_next().is_some() {}

    proxy.set(Mode::Refuse);
    until("the interruption is counted", async || {
        bench.metric(r#"highwater_test_watch_failures_total{kind="ConfigMap"} 2"#)
    })
    .await;
    maps.delete("goes", &DeleteParams::default()).await.unwrap();
    assert!(bench.readiness.is_ready(), "what is known stays in use");
    assert!(changes.try_next().is_none());
    proxy.set(Mode::Pass);
    let change = next(&mut changes).await;
    assert_eq!((change.key, change.new), (Key::new(&namespace, "goes"), None));
    assert_eq!(store.len(), 1);
}
