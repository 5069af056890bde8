//! IO in: everything that a look decides about, read afresh.

mod read;

use std::{collections::BTreeMap, sync::Arc};

use api::{
    catalog::v1alpha1::PostgresVersionSpec,
    conditions::{self, Condition},
    kubedb::v1::{Postgres, PostgresSpec, condition},
    names::{ANNOTATION_APPLIED, FINALIZER_PROVISIONER, LABEL_CLUSTER, LABEL_INSTANCE},
    petset::v1::PetSet,
};
use control::{watch::Key, whole::Whole};
use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, Pod},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Client, Resource, ResourceExt, core::ObjectMeta};
use provisioner_core::postgres::{Object, Standing};
use serde_json::{Value, json};

pub(crate) use self::read::References;
use crate::{differs::differs, error::Error, kinds, watches::Stores};

/// Reads.
pub(crate) struct Observer {
    client: Client,
    stores: Stores,
}

/// An object as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) meta: ObjectMeta,
    pub(crate) rest: Value,
}

/// A database and everything that belongs to it.
pub(crate) struct View {
    pub(crate) key: Key,
    pub(crate) postgres: Whole<Postgres>,
    pub(crate) spec: PostgresSpec,
    pub(crate) conditions: Vec<Condition>,
    /// The PostgresVersion that the spec names.
    pub(crate) version: Option<Arc<PostgresVersionSpec>>,
    pub(crate) found: BTreeMap<Object, Found>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) claims: Vec<PersistentVolumeClaim>,
    /// The leader that Patroni's store names.
    pub(crate) leader: Option<String>,
    pub(crate) references: References,
}

impl Observer {
    pub(crate) fn new(client: Client, stores: Stores) -> Self {
        Self { client, stores }
    }

    /// Everything of a database; none if there is no such database.
    pub(crate) async fn view(&self, key: &Key) -> Result<Option<View>, Error> {
        let Some(postgres) = self.get::<Whole<Postgres>>(key, &key.name).await? else {
            return Ok(None);
        };
        let typed: Postgres = postgres.typed().map_err(Error::Malformed)?;
        let spec = typed.spec;
        let conditions = typed.status.unwrap_or_default().conditions;
        let version = self.stores.versions.get(&Key::new("", &spec.version));
        let mut view = View {
            key: key.clone(),
            postgres,
            spec,
            conditions,
            version,
            found: BTreeMap::new(),
            pods: Vec::new(),
            claims: Vec::new(),
            leader: None,
            references: References::default(),
        };
        for object in Object::MADE {
            if let Some(found) = self.find(&view, object).await? {
                view.found.insert(object, found);
            }
        }
        let goes_or_begins = view.is_deleted() || !view.found.contains_key(&Object::Set);
        if goes_or_begins {
            for object in Object::STORE {
                if let Some(found) = self.find(&view, object).await? {
                    view.found.insert(object, found);
                }
            }
        }
        view.pods = self.pods(key).await?;
        view.claims = self.claims(key, goes_or_begins && !view.is_deleted()).await?;
        view.leader = self.leader(&view).await?;
        view.references = self.references(&view).await?;
        Ok(Some(view))
    }
}

impl View {
    pub(crate) fn name(&self) -> &str {
        &self.key.name
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.key.namespace
    }

    pub(crate) fn uid(&self) -> String {
        self.postgres.uid().unwrap_or_default()
    }

    pub(crate) fn generation(&self) -> Option<i64> {
        self.postgres.meta().generation
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.postgres.meta().deletion_timestamp.is_some()
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.spec.halted == Some(true)
    }

    pub(crate) fn has_finalizer(&self) -> bool {
        self.postgres
            .finalizers()
            .iter()
            .any(|name| name == FINALIZER_PROVISIONER)
    }

    /// Whoever deleted it wants what it consists of to stay.
    pub(crate) fn is_orphaning(&self) -> bool {
        self.postgres.finalizers().iter().any(|name| name == "orphan")
    }

    /// The words of the pause, if it is paused.
    pub(crate) fn pause(&self) -> Option<&str> {
        let paused = conditions::find(&self.conditions, condition::PAUSED)?;
        paused
            .is_true()
            .then(|| paused.message.as_deref().unwrap_or_default())
    }

    /// Name of the Secret with the superuser's password.
    pub(crate) fn auth(&self) -> String {
        let named = self
            .spec
            .auth_secret
            .as_ref()
            .and_then(|secret| secret.name.clone());
        named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| format!("{}-auth", self.name()))
    }

    /// Name of an object.
    pub(crate) fn name_of(&self, object: Object) -> String {
        kinds::name(object, self.name(), &self.auth())
    }

    /// The set, as our type.
    pub(crate) fn set(&self) -> Option<PetSet> {
        let found = self.found.get(&Object::Set)?;
        let mut value = found.rest.clone();
        value["metadata"] = json!(found.meta);
        serde_json::from_value(value).ok()
    }

    /// How an object stands to what is wanted.
    pub(crate) fn standing(&self, object: Object, wanted: Option<&Value>) -> Standing {
        let Some(found) = self.found.get(&object) else {
            return if wanted.is_some() {
                Standing::Absent
            } else {
                Standing::Unneeded
            };
        };
        if found.meta.deletion_timestamp.is_some() {
            return Standing::Ending;
        }
        match object {
            Object::Store(_) => self.standing_of_store(found),
            Object::Auth | Object::Credentials => self.standing_of_secret(found),
            _ => match (self.ownership(object, found), wanted) {
                (Ownership::Others, _) => Standing::NotOurs,
                (_, None) => Standing::Unwanted,
                (Ownership::Adoptable, Some(_)) => Standing::Differs,
                (Ownership::Ours, Some(wanted)) if differs(wanted, &found.meta, &found.rest) => {
                    Standing::Differs
                }
                (Ownership::Ours, Some(_)) => Standing::Same,
            },
        }
    }

    fn standing_of_store(&self, found: &Found) -> Standing {
        let labels = found.meta.labels.as_ref();
        let ours = labels
            .and_then(|labels| labels.get(LABEL_CLUSTER))
            .map(String::as_str)
            == Some(self.name());
        if ours { Standing::Same } else { Standing::NotOurs }
    }

    /// Of a Secret that exists nothing is ever changed. One that we did not make is used and never deleted.
    fn standing_of_secret(&self, found: &Found) -> Standing {
        let made = found.annotation(ANNOTATION_APPLIED).is_some() && self.is_labelled(found);
        if made || !self.is_deleted() {
            Standing::Same
        } else {
            Standing::NotOurs
        }
    }

    fn is_labelled(&self, found: &Found) -> bool {
        let labels = found.meta.labels.as_ref();
        labels
            .and_then(|labels| labels.get(LABEL_INSTANCE))
            .map(String::as_str)
            == Some(self.name())
    }

    /// By owner reference; one of ours that lost its owner (`--cascade=orphan`) is taken up again.
    fn ownership(&self, object: Object, found: &Found) -> Ownership {
        let owners = found.meta.owner_references.as_deref().unwrap_or_default();
        let uid = if object == Object::Budget {
            self.found.get(&Object::Set).and_then(|set| set.meta.uid.clone())
        } else {
            self.postgres.uid()
        };
        if owners.iter().any(|owner| Some(&owner.uid) == uid.as_ref()) {
            return Ownership::Ours;
        }
        let owned = owners.iter().any(|owner| owner.controller == Some(true));
        if !owned && found.annotation(ANNOTATION_APPLIED).is_some() && self.is_labelled(found) {
            Ownership::Adoptable
        } else {
            Ownership::Others
        }
    }

    /// Whose an object is that is not ours, in words.
    pub(crate) fn owner_of(&self, object: Object) -> String {
        let found = self.found.get(&object);
        let owners: &[OwnerReference] = found
            .and_then(|found| found.meta.owner_references.as_deref())
            .unwrap_or_default();
        owners.first().map_or_else(
            || "was not made by Highwater".to_owned(),
            |owner| format!("belongs to {} {}", owner.kind, owner.name),
        )
    }
}

enum Ownership {
    Ours,
    Adoptable,
    Others,
}

impl Found {
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.meta.annotations.as_ref()?.get(name).map(String::as_str)
    }
}
