//! The single reads. What is not there is `None`, never an error.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Event, PersistentVolumeClaim},
};
use kube::{Api, Client, Resource, api::ListParams, core::Selector};
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Reads objects.
#[derive(Clone)]
pub(crate) struct Reader {
    client: Client,
}

/// A kind that is read.
pub(crate) trait Readable:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug
{
}

impl<K> Readable for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug
{
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) async fn get<K: Readable>(&self, namespace: &str, name: &str) -> Result<Option<K>, Error> {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let read = api.get_opt(name).await;
        read.map_err(|error| Error::Read(format!("{}/{name}", api.resource_url()), error))
    }

    pub(crate) async fn list<K: Readable>(
        &self,
        namespace: &str,
        selector: &Selector,
    ) -> Result<Vec<K>, Error> {
        self.list_by(namespace, &ListParams::default().labels_from(selector))
            .await
    }

    /// Events about a claim.
    pub(crate) async fn events(&self, claim: &PersistentVolumeClaim) -> Result<Vec<Event>, Error> {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        let uid = claim.metadata.uid.as_deref().unwrap_or_default();
        let about = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
        self.list_by(namespace, &about).await
    }

    async fn list_by<K: Readable>(&self, namespace: &str, params: &ListParams) -> Result<Vec<K>, Error> {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let list = api.list(params).await;
        list.map(|list| list.items)
            .map_err(|error| Error::Read(api.resource_url().to_owned(), error))
    }
}
