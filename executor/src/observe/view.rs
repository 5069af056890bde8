//! A database with everything around it, and what one of its requests sees of that.

use control::whole::Whole;
use std::collections::BTreeMap;

use api::{kubedb::v1::Postgres, ops::v1alpha1::PostgresOpsRequest, petset::v1::PetSet};
use executor_core::{
    observed::{Class, Event, Observed, Queued},
    pause,
    request::Request,
};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::ResourceExt;

use super::{
    claim::{self, Around},
    database,
    members::Members,
    request::{self, queued},
    room::Room,
};
use crate::{error::Error, memory::Remembered, perform::Written};

/// A database as it is now.
#[derive(Debug)]
pub(crate) struct View {
    /// The Postgres.
    pub(crate) postgres: Option<Whole<Postgres>>,
    /// Its PetSet.
    pub(crate) petset: Option<Whole<PetSet>>,
    /// Its claims.
    pub(crate) claims: Vec<PersistentVolumeClaim>,
    /// Pods that use them.
    pub(crate) pods: Vec<Pod>,
    /// Volumes that they name.
    pub(crate) volumes: Vec<PersistentVolume>,
    /// Its requests, oldest first: as they came, and as the core reads them.
    pub(crate) requests: Vec<(Whole<PostgresOpsRequest>, Request)>,
    /// Quotas and limits; only read while a request is in the queue.
    pub(crate) room: Room,
    /// Classes by name; only read while a request is in the queue.
    pub(crate) classes: BTreeMap<String, Class>,
    /// Events by claim; only read when a run takes long.
    pub(crate) events: BTreeMap<String, Vec<Event>>,
    /// Whether KubeDB makes its members.
    pub(crate) beside_kubedb: bool,
    /// Its members; only asked while a request works on them.
    pub(crate) members: Members,
}

impl View {
    /// What one of its requests sees, with what this process remembers of it.
    pub(crate) fn observed(&self, request: &Request, remembered: Remembered) -> Result<Observed, Error> {
        let Remembered {
            trials,
            refusals,
            attempted,
            troubles,
            ..
        } = remembered;
        let others = self.requests.iter().filter(|(_, other)| other.uid != request.uid);
        Ok(Observed {
            database: self.database()?,
            petset: self
                .petset
                .as_ref()
                .map(Whole::typed)
                .transpose()?
                .map(|set| database::petset(&set)),
            claims: self
                .claims
                .iter()
                .map(|object| claim::claim(object, self.around(object)))
                .collect(),
            members: self.members.members(),
            cluster: self.members.cluster(),
            beside_kubedb: self.beside_kubedb,
            credentials: self.members.trouble().cloned(),
            quotas: self.room.quotas.clone(),
            limits: self.room.limits.clone(),
            queue: others.map(|(_, other)| queued(other)).collect(),
            trials,
            refusals,
            attempted,
            troubles,
        })
    }

    /// Whether the database is paused for a request that is finished or gone.
    pub(crate) fn is_pause_left_over(&self) -> Result<bool, Error> {
        let queue: Vec<Queued> = self.requests.iter().map(|(_, request)| queued(request)).collect();
        Ok(self
            .database()?
            .is_some_and(|database| pause::is_leftover(&database, &queue)))
    }

    /// Takes in an object as it is after a write.
    pub(crate) fn take_in(&mut self, written: Written) -> Result<(), Error> {
        match written {
            Written::Nothing | Written::Elsewhere => {}
            Written::Request(whole) => {
                let request = request::request(&whole)?;
                self.requests.retain(|(_, old)| old.uid != request.uid);
                self.requests.push((*whole, request));
                self.requests
                    .sort_by(|(_, a), (_, b)| (a.created, &b.name).cmp(&(b.created, &a.name)));
            }
            Written::Postgres(whole) => self.postgres = Some(*whole),
            Written::PetSet(whole) => self.petset = Some(*whole),
            Written::Claim(claim) => replace(&mut self.claims, *claim),
            Written::Pod(pod) => replace(&mut self.pods, *pod),
        }
        Ok(())
    }

    fn database(&self) -> Result<Option<executor_core::observed::Database>, Error> {
        let typed = self.postgres.as_ref().map(Whole::typed).transpose()?;
        Ok(typed.map(|postgres| database::database(&postgres, &self.pods)))
    }

    fn around(&self, object: &PersistentVolumeClaim) -> Around<'_> {
        let spec = object.spec.clone().unwrap_or_default();
        Around {
            volume: self
                .volumes
                .iter()
                .find(|volume| volume.metadata.name == spec.volume_name),
            pods: self
                .pods
                .iter()
                .filter(|pod| claim::uses(pod, &object.name_any()))
                .collect(),
            class: spec
                .storage_class_name
                .and_then(|name| self.classes.get(&name).cloned()),
            events: self.events.get(&object.name_any()).cloned().unwrap_or_default(),
        }
    }
}

fn replace<K: ResourceExt>(objects: &mut [K], new: K) {
    if let Some(old) = objects.iter_mut().find(|old| old.meta().uid == new.meta().uid) {
        *old = new;
    }
}
