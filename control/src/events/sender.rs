//! The sending end: one Event after the other, as a new one or as a count on one that was told.

use std::time::Duration;

use k8s_openapi::{
    api::events::v1::Event,
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use runtime::report::{Chain, truncated};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use units::Reason;

use super::{
    ACTION_MAX, Lost, Metrics, Telling, Weight,
    series::{Series, Told},
};

/// Time for Events told just before the end.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Longest time for one Event.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sending end.
pub(super) struct Sender {
    client: Client,
    controller: String,
    instance: String,
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
    pub(super) fn new(client: Client, name: &str, pod_name: &str, metrics: Metrics) -> Self {
        Self {
            client,
            controller: format!("highwater-{name}"),
            instance: pod_name.to_owned(),
            series: Series::default(),
            metrics,
        }
    }

    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Telling>, stop: CancellationToken) {
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
        let at = telling.at;
        let namespace = telling
            .about
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let key = telling.key();
        match self.series.tell(&key, &key.object, at) {
            Told::TooOften => {
                self.metrics.lost.get_or_create(&Lost { why: "too-often" }).inc();
                Ok(())
            }
            Told::Again { name, count } => {
                let series = json!({ "series": { "count": count, "lastObservedTime": MicroTime(at) } });
                let patched = events
                    .patch(&name, &PatchParams::default(), &Patch::Merge(series))
                    .await;
                match patched {
                    // It has outlived its time there: begin anew.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        self.create(&events, key, telling).await
                    }
                    patched => patched.map(drop),
                }
            }
            Told::First => self.create(&events, key, telling).await,
        }
    }

    async fn create(&mut self, events: &Api<Event>, key: Key, telling: Telling) -> Result<(), kube::Error> {
        let at = telling.at;
        let event = self.event(telling);
        let name = event.metadata.name.clone().unwrap_or_default();
        events.create(&PostParams::default(), &event).await?;
        self.series.began(key, name, at);
        Ok(())
    }

    fn event(&self, telling: Telling) -> Event {
        let Telling {
            at,
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
            at.as_nanosecond(),
            rand::random::<u16>()
        );
        let namespace = about.namespace.clone().unwrap_or_else(|| "default".to_owned());
        Event {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(at)),
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
            at: _,
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
