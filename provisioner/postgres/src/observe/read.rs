//! The single reads of a look.

use std::{fmt::Debug, marker::PhantomData};

use api::names::{DATA_TEMPLATE, LABEL_CLUSTER, LABEL_ROLE, ROLE_PRIMARY, split_claim};
use control::{watch::Key, whole::Whole};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret},
};
use kube::{Api, Client, Resource, ResourceExt, api::ListParams};
use provisioner_core::postgres::{Object, StoreMap};
use serde::de::DeserializeOwned;

use super::{Found, Observer, View};
use crate::{error::Error, kinds};

/// Objects that the spec names.
#[derive(Debug, Clone, Default)]
pub(crate) struct References {
    /// Content of `user.conf`; none if no Secret is named.
    pub(crate) user_conf: Option<String>,
    /// What the spec names and is not there, in words.
    pub(crate) missing: Vec<String>,
}

impl Observer {
    pub(super) async fn get<K>(&self, key: &Key, name: &str) -> Result<Option<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), &key.namespace);
        api.get_opt(name)
            .await
            .map_err(|error| Error::Read(format!("{} {name}", K::kind(&())), error))
    }

    pub(super) async fn find(&self, view: &View, object: Object) -> Result<Option<Found>, Error> {
        let name = view.name_of(object);
        kinds::typed!(object, find, &self.client, view.namespace(), &name)
    }

    pub(super) async fn pods(&self, key: &Key) -> Result<Vec<Pod>, Error> {
        let params = ListParams::default().labels(&format!("{LABEL_CLUSTER}={}", key.name));
        self.list("Pods", key, &params).await
    }

    /// The data claims; with `unlabelled` also those that only have the name of one.
    pub(super) async fn claims(
        &self,
        key: &Key,
        unlabelled: bool,
    ) -> Result<Vec<PersistentVolumeClaim>, Error> {
        let params = if unlabelled {
            ListParams::default()
        } else {
            ListParams::default().labels(&format!("{LABEL_CLUSTER}={}", key.name))
        };
        let mut claims: Vec<PersistentVolumeClaim> =
            self.list("PersistentVolumeClaims", key, &params).await?;
        claims.retain(|claim| {
            split_claim(&claim.name_any(), DATA_TEMPLATE).is_some_and(|(set, _)| *set == *key.name)
        });
        Ok(claims)
    }

    async fn list<K>(&self, what: &'static str, key: &Key, params: &ListParams) -> Result<Vec<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), &key.namespace);
        let list = api.list(params).await;
        list.map(|list| list.items)
            .map_err(|error| Error::Read(what.to_owned(), error))
    }

    /// Asked only while a pod says that it is the primary: nobody else's label could be wrong.
    pub(super) async fn leader(&self, view: &View) -> Result<Option<String>, Error> {
        let says = |pod: &Pod| {
            pod.labels()
                .get(LABEL_ROLE)
                .is_some_and(|role| role == ROLE_PRIMARY)
        };
        if !view.pods.iter().any(says) {
            return Ok(None);
        }
        let name = view.name_of(Object::Store(StoreMap::Leader));
        let map = self.get::<ConfigMap>(&view.key, &name).await?;
        let leader = map.and_then(|map| map.annotations().get("leader").cloned());
        Ok(leader.filter(|leader| !leader.is_empty()))
    }

    pub(super) async fn references(&self, view: &View) -> Result<References, Error> {
        let mut references = References::default();
        let spec = &view.spec;
        let of_configuration = spec
            .configuration
            .as_ref()
            .and_then(|part| part.secret_name.clone());
        let of_config_secret = spec.config_secret.as_ref().map(|secret| secret.name.clone());
        let secret = of_configuration
            .or(of_config_secret)
            .filter(|name| !name.is_empty());
        if let Some(name) = secret {
            match self.get::<Secret>(&view.key, &name).await? {
                Some(secret) => references.user_conf = user_conf(&secret),
                None => references
                    .missing
                    .push(format!("Secret {name} with key user.conf")),
            }
        }
        let script = spec
            .init
            .as_ref()
            .and_then(|init| init.script.as_ref()?.config_map.as_ref());
        if let Some(map) = script
            && !view.found.contains_key(&Object::Set)
            && self.get::<ConfigMap>(&view.key, &map.name).await?.is_none()
        {
            references
                .missing
                .push(format!("ConfigMap {} of spec.init.script", map.name));
        }
        Ok(references)
    }
}

fn user_conf(secret: &Secret) -> Option<String> {
    let bytes = secret.data.as_ref()?.get("user.conf")?;
    Some(String::from_utf8_lossy(&bytes.0).into_owned())
}

async fn find<K>(
    _: PhantomData<K>,
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Found>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
{
    let api: Api<Whole<K>> = Api::namespaced(client.clone(), namespace);
    let found = api.get_opt(name).await;
    let found = found.map_err(|error| Error::Read(format!("{} {name}", K::kind(&())), error))?;
    Ok(found.map(|whole| {
        let (meta, rest) = whole.into_parts();
        Found { meta, rest }
    }))
}
