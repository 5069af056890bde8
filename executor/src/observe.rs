//! IO in: everything a step looks at, read afresh from the API server; the watches only say by which names.
//!
//! Afresh, because a step that is decided on what a watch knew a moment ago would repeat the write before.

pub(crate) mod claim;
mod database;
mod read;
pub(crate) mod request;
mod room;

use std::collections::BTreeMap;

use control::watch::Key;
use executor_core::{
    observed::{self as core, Observed},
    pause,
    request::Request,
};
use futures::future::{join_all, try_join, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::{Client, core::DynamicObject};

pub(crate) use self::read::typed;
use self::{claim::Around, read::Reader};
use crate::{error::Error, index::Index, memory::Remembered, observe::request::queued};

/// A database with everything around it, as it is now.
#[derive(Debug)]
pub(crate) struct View {
    /// The Postgres as it came, conditions of others included.
    pub(crate) postgres: Option<DynamicObject>,
    /// Its PetSet as it came.
    pub(crate) petset: Option<DynamicObject>,
    /// Its claims.
    pub(crate) claims: Vec<PersistentVolumeClaim>,
    /// Pods that use them.
    pub(crate) pods: Vec<Pod>,
    /// Its requests, oldest first: as they came, and as the core reads them.
    pub(crate) requests: Vec<(DynamicObject, Request)>,
    seen: Observed,
}

/// Reads what [`View`] holds.
#[derive(Clone)]
pub(crate) struct Observer {
    reader: Reader,
    index: Index,
}

impl Observer {
    pub(crate) fn new(client: Client, index: Index) -> Self {
        Self {
            reader: Reader::new(client),
            index,
        }
    }

    /// Everything about a database.
    pub(crate) async fn view(&self, key: &Key, now: Timestamp) -> Result<View, Error> {
        let ((postgres, requests), (petset, claims)) = try_join(self.objects(key), self.storage(key)).await?;
        let requests = self.requests(key, &postgres, requests).await?;
        let (volumes, pods) = try_join(self.volumes(&claims), self.pods(key, &claims)).await?;
        let queued = requests
            .iter()
            .any(|(_, request)| request.record.phase.is_queued());
        let (room, classes) = match queued {
            true => try_join(self.reader.room(&key.namespace), self.reader.classes(&claims)).await?,
            false => Default::default(),
        };
        let events = self.events(&requests, &claims, now).await;
        let around = |object: &PersistentVolumeClaim| Around {
            volume: volumes.iter().find(|volume| {
                volume.metadata.name == object.spec.as_ref().and_then(|spec| spec.volume_name.clone())
            }),
            pods: pods.iter().filter(|pod| uses(pod, object)).collect(),
            class: classes
                .get(
                    &object
                        .spec
                        .as_ref()
                        .and_then(|spec| spec.storage_class_name.clone()),
                )
                .cloned(),
            events: events.get(&object.metadata.name).cloned().unwrap_or_default(),
        };
        let typed = postgres.as_ref().map(read::typed).transpose()?;
        let pods_of_database: Vec<&Pod> = pods.iter().collect();
        let seen = Observed {
            database: typed.map(|postgres| database::database(&postgres, &pods_of_database)),
            petset: petset
                .as_ref()
                .map(read::typed)
                .transpose()?
                .map(|set| database::petset(&set)),
            claims: claims
                .iter()
                .map(|object| claim::claim(object, around(object)))
                .collect(),
            quotas: room.quotas,
            limits: room.limits,
            queue: Vec::new(),
            trials: BTreeMap::new(),
            refusals: BTreeMap::new(),
        };
        Ok(View {
            postgres,
            petset,
            claims,
            pods,
            requests,
            seen,
        })
    }

    async fn objects(&self, key: &Key) -> Result<(Option<DynamicObject>, Vec<DynamicObject>), Error> {
        let names = self.index.requests(key);
        let requests = names.iter().map(|name| self.reader.request(&key.namespace, name));
        let (postgres, requests) = try_join(
            self.reader.postgres(&key.namespace, &key.name),
            try_join_all(requests),
        )
        .await?;
        Ok((postgres, requests.into_iter().flatten().collect()))
    }

    async fn storage(&self, key: &Key) -> Result<(Option<DynamicObject>, Vec<PersistentVolumeClaim>), Error> {
        let (sets, names) = self.index.claims(key);
        let set = sets
            .iter()
            .find(|set| **set == *key.name)
            .or_else(|| sets.first());
        let petset = async {
            match set {
                Some(set) => self.reader.petset(&key.namespace, set).await,
                None => Ok(None),
            }
        };
        let claims = try_join_all(names.iter().map(|name| self.reader.claim(&key.namespace, name)));
        let (petset, claims) = try_join(petset, claims).await?;
        Ok((petset, claims.into_iter().flatten().collect()))
    }

    /// The requests as the core reads them, oldest first; the one that a pause names too, if the watch does not know
    /// it yet. One that cannot be read is left out: the watch has told of it.
    async fn requests(
        &self,
        key: &Key,
        postgres: &Option<DynamicObject>,
        mut raw: Vec<DynamicObject>,
    ) -> Result<Vec<(DynamicObject, Request)>, Error> {
        let named = postgres
            .as_ref()
            .and_then(read::pause_message)
            .and_then(|message| pause::named(&message).map(|(name, _)| name.to_owned()));
        if let Some(name) = named.filter(|name| raw.iter().all(|r| r.metadata.name.as_ref() != Some(name))) {
            raw.extend(self.reader.request(&key.namespace, &name).await?);
        }
        let read = |object: DynamicObject| {
            let typed = read::typed(&object).ok()?;
            let request = request::request(&typed, &read::value(&object));
            Some((object, request))
        };
        let mut requests: Vec<_> = raw.into_iter().filter_map(read).collect();
        requests.sort_by(|(_, a), (_, b)| (a.created, &b.name).cmp(&(b.created, &a.name)));
        Ok(requests)
    }

    async fn volumes(&self, claims: &[PersistentVolumeClaim]) -> Result<Vec<PersistentVolume>, Error> {
        let names = claims
            .iter()
            .filter_map(|claim| claim.spec.as_ref()?.volume_name.as_ref());
        let volumes = try_join_all(names.map(|name| self.reader.volume(name))).await?;
        Ok(volumes.into_iter().flatten().collect())
    }

    async fn pods(&self, key: &Key, claims: &[PersistentVolumeClaim]) -> Result<Vec<Pod>, Error> {
        let of = |claim: &PersistentVolumeClaim| {
            self.index.pods(&Key::new(
                &key.namespace,
                claim.metadata.name.as_deref().unwrap_or_default(),
            ))
        };
        let mut names: Vec<String> = claims.iter().flat_map(of).collect();
        names.sort_unstable();
        names.dedup();
        let pods = try_join_all(names.iter().map(|name| self.reader.pod(&key.namespace, name))).await?;
        Ok(pods.into_iter().flatten().collect())
    }

    /// Events by claim, for a run that takes long. They are hints: that they cannot be read stops nothing.
    async fn events(
        &self,
        requests: &[(DynamicObject, Request)],
        claims: &[PersistentVolumeClaim],
        now: Timestamp,
    ) -> BTreeMap<Option<String>, Vec<core::Event>> {
        let running = requests
            .iter()
            .find(|(_, request)| request.record.phase == executor_core::request::Phase::Progressing);
        let Some(started) = running.and_then(|(_, request)| request.record.started()) else {
            return BTreeMap::new();
        };
        if now.duration_since(started).unsigned_abs() < executor_core::EVENTS_AFTER {
            return BTreeMap::new();
        }
        let read = claims.iter().map(|claim| async {
            let events = self.reader.events(claim).await.unwrap_or_else(|error| {
                tracing::debug!(error = %runtime::report::Chain(&error), "Events cannot be read");
                Vec::new()
            });
            (claim.metadata.name.clone(), claim::events(events, started))
        });
        join_all(read).await.into_iter().collect()
    }
}

fn uses(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
    let name = claim.metadata.name.as_deref();
    volumes
        .into_iter()
        .flatten()
        .any(|volume| match &volume.persistent_volume_claim {
            Some(source) => Some(source.claim_name.as_str()) == name,
            None => {
                let generic = format!(
                    "{}-{}",
                    pod.metadata.name.as_deref().unwrap_or_default(),
                    volume.name
                );
                volume.ephemeral.is_some() && Some(generic.as_str()) == name
            }
        })
}

impl View {
    /// What one of its requests sees, with what this process remembers of it.
    pub(crate) fn observed(&self, request: &Request, remembered: Remembered) -> Observed {
        let Remembered { trials, refusals, .. } = remembered;
        let others = self.requests.iter().filter(|(_, other)| other.uid != request.uid);
        let queue = others.map(|(_, other)| queued(other)).collect();
        Observed {
            queue,
            trials,
            refusals,
            ..self.seen.clone()
        }
    }

    /// Whether the database is paused for a request that is finished or gone.
    pub(crate) fn is_pause_left_over(&self) -> bool {
        let queue: Vec<_> = self.requests.iter().map(|(_, request)| queued(request)).collect();
        self.seen
            .database
            .as_ref()
            .is_some_and(|database| pause::is_leftover(database, &queue))
    }
}
