//! Events: told once, counted when repeated, cut to size, lost without harm.

use std::time::{Duration, Instant};

use control::events::Events;
use k8s_openapi::api::{
    core::v1::{ConfigMap, ObjectReference},
    events::v1::Event,
};
use kube::{
    Api, Client, Resource,
    api::{ListParams, PostParams},
    core::ObjectMeta,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use runtime::{
    build,
    clock::{Clock, ManualClock, SystemClock},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use units::Reason;

use crate::{
    proxy::Mode,
    server::{client, client_through_proxy, namespace, until},
};

struct Bench {
    events: Events,
    registry: Registry,
    stop: CancellationToken,
    task: JoinSet<anyhow::Result<()>>,
}

impl Bench {
    fn start(client: &Client) -> Self {
        Self::with(client, SystemClock)
    }

    fn with(client: &Client, clock: impl Clock) -> Self {
        let (stop, mut registry) = (CancellationToken::new(), build::registry("test"));
        let (events, sending) = Events::new(
            client.clone(),
            "test",
            "pod-1",
            clock,
            &mut registry,
            stop.clone(),
        );
        let mut task = JoinSet::new();
        task.spawn(sending);
        Self {
            events,
            registry,
            stop,
            task,
        }
    }

    fn lost(&self, why: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let start = format!("highwater_test_lost_events_total{{why=\"{why}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&start)?.parse().ok())
            .unwrap_or(0)
    }
}

async fn about(client: &Client, namespace: &str) -> ObjectReference {
    let metadata = ObjectMeta {
        name: Some("a".to_owned()),
        ..ObjectMeta::default()
    };
    let map = ConfigMap {
        metadata,
        ..ConfigMap::default()
    };
    let made = Api::<ConfigMap>::namespaced(client.clone(), namespace)
        .create(&PostParams::default(), &map)
        .await;
    made.unwrap().object_ref(&())
}

async fn told(client: &Client, namespace: &str) -> Vec<Event> {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    let mut all = events.list(&ListParams::default()).await.unwrap().items;
    all.sort_by_key(|event| event.event_time.clone());
    all
}

#[tokio::test]
async fn the_same_words_are_counted_other_words_are_told_apart() {
    let client = client().await;
    let namespace = namespace(&client, "events").await;
    let object = about(&client, &namespace).await;
    let bench = Bench::start(&client);
    for _ in 0..3 {
        bench
            .events
            .normal(&object, Reason::Resizing, "Expand", "from 1Gi to 2Gi");
    }
    bench
        .events
        .normal(&object, Reason::Resizing, "Expand", "from 2Gi to 3Gi");
    bench
        .events
        .warning(&object, Reason::QuotaExceeded, "Expand", "ö".repeat(2000));
    until("three Events, one of them counted to three", async || {
        let all = told(&client, &namespace).await;
        all.len() == 3 && all[0].series.as_ref().is_some_and(|series| series.count == 3)
    })
    .await;
    let all = told(&client, &namespace).await;
    let words: Vec<_> = all.iter().map(|event| event.note.clone().unwrap()).collect();
    assert_eq!(words[..2], ["from 1Gi to 2Gi", "from 2Gi to 3Gi"]);
    assert_eq!(words[2], "ö".repeat(512));
    let (normal, warning) = (&all[0], &all[2]);
    assert_eq!(
        (normal.type_.as_deref(), warning.type_.as_deref()),
        (Some("Normal"), Some("Warning"))
    );
    assert_eq!(warning.reason.as_deref(), Some("QuotaExceeded"));
    assert_eq!(warning.action.as_deref(), Some("Expand"));
    assert_eq!(warning.reporting_controller.as_deref(), Some("highwater-test"));
    assert_eq!(warning.reporting_instance.as_deref(), Some("pod-1"));
    assert_eq!(warning.regarding.as_ref().unwrap().uid, object.uid);
}

#[tokio::test]
async fn an_event_bears_the_time_at_which_it_was_told_however_late_it_is_sent() {
    let client = client().await;
    let namespace = namespace(&client, "events-late").await;
    let object = about(&client, &namespace).await;
    let clock = ManualClock::new("2026-01-02T03:04:05.5Z".parse().unwrap());
    let bench = Bench::with(&client, clock.clone());
    let at = clock.now();
    bench.events.normal(&object, Reason::Running, "Expand", "runs");
    // On this thread nothing is sent before the next await.
    clock.advance(Duration::from_secs(7));
    until("told", async || told(&client, &namespace).await.len() == 1).await;
    let event = told(&client, &namespace).await.remove(0);
    assert_eq!(event.event_time.unwrap().0, at);
}

#[tokio::test]
async fn an_event_that_was_deleted_is_told_anew() {
    let client = client().await;
    let namespace = namespace(&client, "events-gone").await;
    let object = about(&client, &namespace).await;
    let bench = Bench::start(&client);
    bench.events.normal(&object, Reason::Running, "Expand", "runs");
    until("told", async || told(&client, &namespace).await.len() == 1).await;
    let name = told(&client, &namespace).await[0].metadata.name.clone().unwrap();
    let events: Api<Event> = Api::namespaced(client.clone(), &namespace);
    events
        .delete(&name, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    bench.events.normal(&object, Reason::Running, "Expand", "runs");
    until("told anew", async || told(&client, &namespace).await.len() == 1).await;
}

#[tokio::test]
async fn what_cannot_be_told_is_counted_and_holds_up_nobody() {
    let (client, proxy, _folder) = client_through_proxy().await;
    let namespace = namespace(&client, "events-lost").await;
    let object = about(&client, &namespace).await;
    let mut bench = Bench::start(&client);
    let elsewhere = ObjectReference {
        namespace: Some("no-such-namespace".to_owned()),
        ..object.clone()
    };
    bench
        .events
        .normal(&elsewhere, Reason::Running, "Expand", "into the void");
    until("the refusal is counted", async || bench.lost("refused") == 1).await;

    proxy.set(Mode::Silent);
    let begun = Instant::now();
    for number in 0..1000 {
        bench
            .events
            .normal(&object, Reason::Running, "Expand", number.to_string());
    }
    assert!(begun.elapsed().as_secs() < 1, "{:?}", begun.elapsed());
    assert!(bench.lost("queue") >= 700, "{}", bench.lost("queue"));
    bench.stop.cancel();
    let begun = Instant::now();
    bench.task.join_next().await.unwrap().unwrap().unwrap();
    assert!(
        begun.elapsed().as_secs() < 5,
        "the end waits for the API server: {:?}",
        begun.elapsed()
    );
}
