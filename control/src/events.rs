//! Kubernetes Events, told in the background: whoever tells one neither waits for the API server nor fails.
//!
//! Not kube's `Recorder`: that one counts a repetition onto the first note, so that of two notes with different
//! figures the second would be lost. Here a repetition is the same words about the same object.

mod series;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use runtime::{
    clock::Clock,
    report::{Chain, truncated},
};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use units::Reason;

use self::series::{Series, Told};

/// Longest note that the API server accepts, in bytes (`NoteLengthLimit` of Kubernetes' event validation).
const NOTE_MAX: usize = 1024;
/// Longest `action`, in bytes (`ActionLengthLimit`, there).
const ACTION_MAX: usize = 128;
/// Events that wait for the API server; beyond that they are dropped and counted.
const WAITING: usize = 256;
/// Time for Events told just before the end.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Longest time for one Event.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells Events; clones share the queue.
#[derive(Debug, Clone)]
pub struct Events {
    queue: mpsc::Sender<Telling>,
    metrics: Metrics,
}

/// One Event to be told.
#[derive(Debug, Clone)]
struct Telling {
    about: ObjectReference,
    weight: Weight,
    reason: Reason,
    action: String,
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Weight {
    Normal,
    Warning,
}

impl Weight {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lost {
    why: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    lost: Family<Lost, Counter>,
}

impl Events {
    /// The Events of the box `name` (`decider`) in the pod `pod_name`, and the task that sends them until a
    /// second after `stop` is cancelled.
    pub fn new(
        client: Client,
        name: &str,
        pod_name: &str,
        clock: impl Clock,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let metrics = Metrics::default();
        registry.register(
            "lost_events",
            "Events that could not be told",
            metrics.lost.clone(),
        );
        let (queue, waiting) = mpsc::channel(WAITING);
        let sender = Sender {
            client,
            controller: format!("highwater-{name}"),
            instance: pod_name.to_owned(),
            clock: Arc::new(clock),
            series: Series::default(),
            metrics: metrics.clone(),
        };
        (Self { queue, metrics }, async move {
            sender.run(waiting, stop).await;
            Ok(())
        })
    }

    /// Tells something that needs nobody's attention. `action` is what was done or tried, in CamelCase.
    pub fn normal(&self, about: &ObjectReference, reason: Reason, action: &str, note: impl Into<String>) {
        self.tell(about, Weight::Normal, reason, action, note.into());
    }

    /// Tells something that somebody should look at.
    pub fn warning(&self, about: &ObjectReference, reason: Reason, action: &str, note: impl Into<String>) {
        self.tell(about, Weight::Warning, reason, action, note.into());
    }

    fn tell(&self, about: &ObjectReference, weight: Weight, reason: Reason, action: &str, note: String) {
        let action = truncated(action, ACTION_MAX).to_owned();
        let note = truncated(&note, NOTE_MAX).to_owned();
        let telling = Telling {
            about: about.clone(),
            weight,
            reason,
            action,
            note,
        };
        if let Err(mpsc::error::TrySendError::Full(lost) | mpsc::error::TrySendError::Closed(lost)) =
            self.queue.try_send(telling)
        {
            self.metrics.lost.get_or_create(&Lost { why: "queue" }).inc();
            tracing::debug!(reason = %lost.reason, note = lost.note, "an Event is dropped: too many wait");
        }
    }
}

/// The sending end.
struct Sender {
    client: Client,
    controller: String,
    instance: String,
    clock: Arc<dyn Clock>,
    series: Series<Key>,
    metrics: Metrics,
}

/// What makes two Events the same: they are told as one, with a count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    object: String,
    weight: Weight,
    reason: Reason,
    action: String,
    note: String,
}

impl Sender {
    async fn run(mut self, mut waiting: mpsc::Receiver<Telling>, stop: CancellationToken) {
        let all = async {
            while let Some(telling) = waiting.recv().await {
                self.send(telling).await;
            }
            // Nobody is left who could tell anything; a task of the process ends only when told to.
            std::future::pending::<()>().await;
        };
        let late = async {
            stop.cancelled().await;
            sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = all => (),
            () = late => (),
        }
    }

    async fn send(&mut self, telling: Telling) {
        let (reason, note) = (telling.reason, telling.note.clone());
        let why = match timeout(PATIENCE, self.try_send(telling)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::warn!(%reason, note, error = %Chain(&error), "cannot tell an Event");
                "refused"
            }
            Err(_) => {
                tracing::warn!(%reason, note, "cannot tell an Event: no answer");
                "timeout"
            }
        };
        self.metrics.lost.get_or_create(&Lost { why }).inc();
    }

    async fn try_send(&mut self, telling: Telling) -> Result<(), kube::Error> {
        let now = self.clock.now();
        let namespace = telling
            .about
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let key = telling.key();
        match self.series.tell(&key, &key.object, now) {
            Told::TooOften => {
                self.metrics.lost.get_or_create(&Lost { why: "too-often" }).inc();
                Ok(())
            }
            Told::Again { name, count } => {
                let series = json!({ "series": { "count": count, "lastObservedTime": MicroTime(now) } });
                let patched = events
                    .patch(&name, &PatchParams::default(), &Patch::Merge(series))
                    .await;
                match patched {
                    // It has outlived its time there: begin anew.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        self.create(&events, key, telling, now).await
                    }
                    patched => patched.map(drop),
                }
            }
            Told::First => self.create(&events, key, telling, now).await,
        }
    }

    async fn create(
        &mut self,
        events: &Api<Event>,
        key: Key,
        telling: Telling,
        now: Timestamp,
    ) -> Result<(), kube::Error> {
        let event = self.event(telling, now);
        let name = event.metadata.name.clone().unwrap_or_default();
        events.create(&PostParams::default(), &event).await?;
        self.series.began(key, name, now);
        Ok(())
    }

    fn event(&self, telling: Telling, now: Timestamp) -> Event {
        let Telling {
            about,
            weight,
            reason,
            action,
            note,
        } = telling;
        let stem = about.name.as_deref().unwrap_or(&self.controller);
        // As client-go names them, with a random part for replicas that speak in the same nanosecond.
        let name = format!(
            "{}.{:x}{:04x}",
            truncated(stem, 220),
            now.as_nanosecond(),
            rand::random::<u16>()
        );
        let namespace = about.namespace.clone().unwrap_or_else(|| "default".to_owned());
        Event {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            regarding: Some(about),
            type_: Some(weight.as_str().to_owned()),
            reason: Some(reason.as_str().to_owned()),
            action: Some(action),
            note: Some(note),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(truncated(&self.instance, ACTION_MAX).to_owned()),
            ..Event::default()
        }
    }
}

impl Telling {
    fn key(&self) -> Key {
        let Self {
            about,
            weight,
            reason,
            action,
            note,
        } = self;
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let object = [
            part(&about.kind),
            part(&about.namespace),
            part(&about.name),
            part(&about.uid),
        ]
        .join("/");
        Key {
            object,
            weight: *weight,
            reason: *reason,
            action: action.clone(),
            note: note.clone(),
        }
    }
}
