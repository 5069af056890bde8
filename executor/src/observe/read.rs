//! The single reads. What is not there is `None`, never an error.

use control::whole::Whole;
use std::{collections::BTreeMap, fmt::Debug};

use api::{highwater::v1alpha1::StorageProfile, kubedb::v1::Postgres};
use executor_core::observed::{Answer, Class, Trouble};
use futures::future::try_join;
use k8s_openapi::api::{
    core::v1::{Event, LimitRange, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Secret},
    storage::v1::StorageClass,
};
use kube::{Api, Client, Resource, ResourceExt, api::ListParams, core::NamespaceResourceScope};
use serde::de::DeserializeOwned;
use serde_json::Value;
use units::Reason;

use super::room::{self, Room};
use crate::{
    error::Error,
    member::{Credentials, Login},
};

/// Reads objects one by one.
#[derive(Clone)]
pub(crate) struct Reader {
    client: Client,
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// An object with everything in it.
    pub(crate) async fn whole<K>(&self, namespace: &str, name: &str) -> Result<Option<Whole<K>>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
    {
        get(&Api::namespaced(self.client.clone(), namespace), name).await
    }

    pub(crate) async fn claim(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<PersistentVolumeClaim>, Error> {
        get(&Api::namespaced(self.client.clone(), namespace), name).await
    }

    pub(crate) async fn pod(&self, namespace: &str, name: &str) -> Result<Option<Pod>, Error> {
        get(&Api::namespaced(self.client.clone(), namespace), name).await
    }

    pub(crate) async fn volume(&self, name: &str) -> Result<Option<PersistentVolume>, Error> {
        get(&Api::all(self.client.clone()), name).await
    }

    /// What opens a database: its own Secret of KubeDB's kind, and that of Patroni's REST API. What is missing is told
    /// to the user of the request, who alone can put it right.
    pub(crate) async fn credentials(
        &self,
        namespace: &str,
        postgres: &Whole<Postgres>,
    ) -> Result<Answer<Credentials>, Error> {
        let database = postgres.name_any();
        let named = postgres.at("/spec/authSecret/name").and_then(Value::as_str);
        let auth = named.map_or_else(|| format!("{database}-auth"), str::to_owned);
        let patroni = format!("{database}-patroni");
        let (auth, patroni) = try_join(
            self.login(namespace, &auth, ["username", "password"]),
            self.login(namespace, &patroni, ["restapi-username", "restapi-password"]),
        )
        .await?;
        Ok(match (auth, patroni) {
            (Ok(postgres), Ok(patroni)) => Answer::Says(Credentials { postgres, patroni }),
            (Err(message), _) | (_, Err(message)) => Answer::Silent(Trouble {
                reason: Reason::CredentialsMissing,
                message,
            }),
        })
    }

    /// Name and password under these keys of a Secret, or what is wrong with it.
    async fn login(
        &self,
        namespace: &str,
        name: &str,
        keys: [&str; 2],
    ) -> Result<Result<Login, String>, Error> {
        let secret: Option<Secret> = match get(&self.within(namespace), name).await {
            Err(Error::Read(_, kube::Error::Api(status))) if status.code == 403 => {
                return Ok(Err(status.message));
            }
            secret => secret?,
        };
        let Some(secret) = secret else {
            return Ok(Err(format!("there is no Secret {name}")));
        };
        let data = secret.data.unwrap_or_default();
        let text = |key: &str| {
            let bytes = data
                .get(key)
                .ok_or_else(|| format!("Secret {name} has no key {key}"))?;
            String::from_utf8(bytes.0.clone()).map_err(|_| format!("key {key} of Secret {name} is no text"))
        };
        let [user, password] = keys.map(text);
        Ok(user.and_then(|user| {
            let password = password?;
            Ok(Login { user, password })
        }))
    }

    /// Quotas and limits of a namespace.
    pub(crate) async fn room(&self, namespace: &str) -> Result<Room, Error> {
        let quotas = list::<ResourceQuota>(&self.within(namespace), &ListParams::default()).await?;
        let limits = list::<LimitRange>(&self.within(namespace), &ListParams::default()).await?;
        Ok(Room {
            quotas: room::quotas(&quotas),
            limits: room::limits(&limits),
        })
    }

    /// The classes of these claims, by name.
    pub(crate) async fn classes(
        &self,
        claims: &[PersistentVolumeClaim],
    ) -> Result<BTreeMap<String, Class>, Error> {
        let profiles = self.profiles().await?;
        let mut classes = BTreeMap::new();
        let names = claims
            .iter()
            .filter_map(|claim| claim.spec.as_ref()?.storage_class_name.clone());
        for name in names {
            if classes.contains_key(&name) {
                continue;
            }
            let class: Option<StorageClass> = get(&Api::all(self.client.clone()), &name).await?;
            if let Some(class) = class {
                classes.insert(name, room::class(&class, &profiles));
            }
        }
        Ok(classes)
    }

    /// None where the definition is not installed.
    async fn profiles(&self) -> Result<Vec<StorageProfile>, Error> {
        match list(&Api::all(self.client.clone()), &ListParams::default()).await {
            Err(Error::Read(_, kube::Error::Api(status))) if status.code == 404 => Ok(Vec::new()),
            profiles => profiles,
        }
    }

    /// Events about a claim.
    pub(crate) async fn events(&self, claim: &PersistentVolumeClaim) -> Result<Vec<Event>, Error> {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        let uid = claim.metadata.uid.as_deref().unwrap_or_default();
        list(
            &self.within(namespace),
            &ListParams::default().fields(&format!("involvedObject.uid={uid}")),
        )
        .await
    }

    fn within<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }
}

async fn get<K: Resource + Clone + DeserializeOwned + Debug>(
    api: &Api<K>,
    name: &str,
) -> Result<Option<K>, Error> {
    api.get_opt(name)
        .await
        .map_err(|error| Error::Read(format!("{}/{name}", api.resource_url()), error))
}

async fn list<K: Resource + Clone + DeserializeOwned + Debug>(
    api: &Api<K>,
    params: &ListParams,
) -> Result<Vec<K>, Error> {
    let list = api.list(params).await;
    list.map(|list| list.items)
        .map_err(|error| Error::Read(api.resource_url().to_owned(), error))
}
