//! IO in: everything a step looks at, read afresh from the API server; the watches only say by which names.
//!
//! Afresh, because a step that is decided on what a watch knew a moment ago would repeat the write before. Between two
//! writes of one look only what was written is renewed ([`View::take_in`]); what others change meanwhile makes the
//! fence refuse, or wakes the next look.

pub(crate) mod claim;
mod database;
mod members;
mod read;
pub(crate) mod request;
mod room;
mod view;

use std::{collections::BTreeMap, sync::Arc};

use api::{
    kubedb::v1::Postgres,
    names::{DATA_TEMPLATE, split_claim},
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::PetSet,
};
use control::{watch::Key, whole::Whole};
use executor_core::{
    Needs, needs, observed as core, pause,
    request::{Operation, Phase, Request},
};
use futures::future::{join_all, try_join, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::{Client, ResourceExt};

use self::read::Reader;
pub(crate) use self::{members::Members, view::View};
use crate::{error::Error, index::Index, member::Reach};

/// Reads what [`View`] holds.
#[derive(Clone)]
pub(crate) struct Observer {
    reader: Reader,
    index: Index,
    reach: Arc<dyn Reach>,
    beside_kubedb: bool,
}

/// A Postgres and its requests.
type Objects = (Option<Whole<Postgres>>, Vec<Whole<PostgresOpsRequest>>);
/// A PetSet and its claims.
type Storage = (Option<Whole<PetSet>>, Vec<PersistentVolumeClaim>);

/// Far more members than a database has; a number beyond is a mistake and does not make us ask for as many pods.
const MOST_MEMBERS: u32 = 64;

/// One more than the highest ordinal, by each who may know of it.
fn ordinals(petset: &Whole<PetSet>, claims: &[PersistentVolumeClaim]) -> Vec<u32> {
    let number = |pointer: &str| {
        let number = petset.at(pointer).and_then(serde_json::Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok())
    };
    let of_claims = claims.iter().filter_map(|claim| {
        let (_, ordinal) = split_claim(claim.metadata.name.as_deref()?, DATA_TEMPLATE)?;
        ordinal.checked_add(1)
    });
    let numbers = [number("/spec/replicas"), number("/status/replicas")];
    of_claims.chain(numbers.into_iter().flatten()).collect()
}

/// One more than each ordinal that a request adds, or has noted.
fn worked_on(request: &Request) -> impl Iterator<Item = u32> {
    let asked = match &request.operation {
        Operation::HorizontalScaling(Some(scaling)) => scaling.replicas.and_then(|n| n.try_into().ok()),
        _ => None,
    };
    let noted = request.record.members.iter();
    asked
        .into_iter()
        .chain(noted.filter_map(|line| line.ordinal.checked_add(1)))
}

impl Observer {
    pub(crate) fn new(client: Client, index: Index, reach: Arc<dyn Reach>, beside_kubedb: bool) -> Self {
        Self {
            reader: Reader::new(client),
            index,
            reach,
            beside_kubedb,
        }
    }

    /// Everything about a database.
    pub(crate) async fn view(&self, key: &Key, now: Timestamp) -> Result<View, Error> {
        let ((postgres, raw), (petset, claims)) = try_join(self.objects(key), self.storage(key)).await?;
        let requests = self.requests(key, &postgres, raw).await?;
        let queued = requests
            .iter()
            .any(|(_, request)| request.record.phase.is_queued());
        let about = async {
            match queued {
                true => try_join(self.reader.room(&key.namespace), self.reader.classes(&claims)).await,
                false => Ok(Default::default()),
            }
        };
        let ((volumes, pods), (room, classes)) =
            try_join(try_join(self.volumes(&claims), self.pods(key, &claims)), about).await?;
        let events = self.events(&requests, &claims, now).await;
        let members = self.members(&postgres, &petset, &requests, &claims).await?;
        Ok(View {
            postgres,
            petset,
            claims,
            pods,
            volumes,
            requests,
            room,
            classes,
            events,
            beside_kubedb: self.beside_kubedb,
            members,
        })
    }

    /// The members, if a request works on them.
    async fn members(
        &self,
        postgres: &Option<Whole<Postgres>>,
        petset: &Option<Whole<PetSet>>,
        requests: &[(Whole<PostgresOpsRequest>, Request)],
        claims: &[PersistentVolumeClaim],
    ) -> Result<Members, Error> {
        let needs = requests
            .iter()
            .map(|(_, request)| needs(request))
            .fold(Needs::default(), |all, one| Needs {
                members: all.members || one.members,
                sql: all.sql || one.sql,
            });
        let asked = needs.members && !self.beside_kubedb;
        let (Some(postgres), Some(petset), true) = (postgres, petset, asked) else {
            return Ok(Members::default());
        };
        let wanted = requests.iter().flat_map(|(_, request)| worked_on(request));
        let ordinals = ordinals(petset, claims)
            .into_iter()
            .chain(wanted)
            .max()
            .unwrap_or(0);
        let namespace = petset.namespace().unwrap_or_default();
        let pods = (0..ordinals.min(MOST_MEMBERS)).map(|ordinal| {
            let name = format!("{}-{ordinal}", petset.name_any());
            let namespace = &namespace;
            async move {
                let pod = self.reader.pod(namespace, &name).await?;
                Ok((ordinal, name, pod))
            }
        });
        let credentials = self.reader.credentials(&namespace, postgres);
        let (pods, credentials) = try_join(try_join_all(pods), credentials).await?;
        Ok(members::ask(&self.reach, pods, credentials, needs).await)
    }

    async fn objects(&self, key: &Key) -> Result<Objects, Error> {
        let names = self.index.requests(key);
        let requests = names.iter().map(|name| self.reader.whole(&key.namespace, name));
        let (postgres, requests) = try_join(
            self.reader.whole(&key.namespace, &key.name),
            try_join_all(requests),
        )
        .await?;
        Ok((postgres, requests.into_iter().flatten().collect()))
    }

    async fn storage(&self, key: &Key) -> Result<Storage, Error> {
        let (sets, names) = self.index.claims(key);
        let set = sets
            .iter()
            .find(|set| **set == *key.name)
            .or_else(|| sets.first());
        let petset = async {
            match set {
                Some(set) => self.reader.whole(&key.namespace, set).await,
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
        postgres: &Option<Whole<Postgres>>,
        mut raw: Vec<Whole<PostgresOpsRequest>>,
    ) -> Result<Vec<(Whole<PostgresOpsRequest>, Request)>, Error> {
        let message = postgres.as_ref().and_then(database::pause_message);
        let named = message.as_deref().and_then(pause::named).map(|(name, _)| name);
        if let Some(name) = named.filter(|name| raw.iter().all(|request| request.name_any() != *name)) {
            raw.extend(self.reader.whole(&key.namespace, name).await?);
        }
        let mut requests: Vec<_> = raw
            .into_iter()
            .filter_map(|whole| {
                let request = request::request(&whole).ok()?;
                Some((whole, request))
            })
            .collect();
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
        let of = |claim: &PersistentVolumeClaim| self.index.pods(&key.beside(&claim.name_any()));
        let mut names: Vec<String> = claims.iter().flat_map(of).collect();
        names.sort_unstable();
        names.dedup();
        let pods = try_join_all(names.iter().map(|name| self.reader.pod(&key.namespace, name))).await?;
        Ok(pods.into_iter().flatten().collect())
    }

    /// Events by claim, for a run that takes long. They are hints: that they cannot be read stops nothing.
    async fn events(
        &self,
        requests: &[(Whole<PostgresOpsRequest>, Request)],
        claims: &[PersistentVolumeClaim],
        now: Timestamp,
    ) -> BTreeMap<String, Vec<core::Event>> {
        let running = requests
            .iter()
            .find(|(_, request)| request.record.phase == Phase::Progressing);
        let started = running.and_then(|(_, request)| request.record.started());
        let late =
            |started: &Timestamp| now.duration_since(*started).unsigned_abs() >= executor_core::EVENTS_AFTER;
        let Some(started) = started.filter(late) else {
            return BTreeMap::new();
        };
        let read = claims.iter().map(|claim| async {
            let events = self.reader.events(claim).await.unwrap_or_else(|error| {
                tracing::debug!(error = %runtime::report::Chain(&error), "Events cannot be read");
                Vec::new()
            });
            (claim.name_any(), claim::events(events, started))
        });
        join_all(read).await.into_iter().collect()
    }
}
