//! Gathering: every question to the cluster, side by side. What cannot be read is a fact, too.

mod objects;

use std::collections::BTreeSet;

use api::view;
use http::Request;
use jiff::{Timestamp, fmt::rfc2822};
use k8s_openapi::{
    api::{
        apps::v1::{DaemonSet, Deployment, StatefulSet},
        authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
        coordination::v1::Lease,
        core::v1::Pod,
        scheduling::v1::PriorityClass,
        storage::v1::StorageClass,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Resource,
    api::{ListParams, PostParams},
    client::Body,
};
use runtime::{
    clock::{Clock as _, SystemClock},
    report::Chain,
};
use serde::de::DeserializeOwned;

use super::facts::{Facts, Known};
use crate::{cluster::Cluster, error::Error};

/// The chart's PriorityClass.
const PRIORITY_CLASS: &str = "highwater";

/// Asks for everything. Only an API server that does not answer at all is an error.
pub(super) async fn gather(cluster: &Cluster) -> Result<Facts, Error> {
    let there = time_of_server(cluster).await?;
    let client = cluster.client();
    let highwater = cluster.highwater();
    let databases = cluster.databases().await.map_err(|e| Chain(&e).to_string());
    let (nodes, definitions, leases, classes, priority_class, may_ask) = futures::join!(
        cluster.nodes(),
        list(Api::<CustomResourceDefinition>::all(client.clone()), ""),
        list(Api::<Lease>::all(client.clone()), ""),
        list(Api::<StorageClass>::all(client.clone()), ""),
        list(Api::<PriorityClass>::all(client.clone()), ""),
        may_ask(cluster),
    );
    let agents: Api<Pod> = Api::namespaced(client.clone(), highwater);
    let (agents, workloads, pods, requests) = futures::join!(
        list(agents, "app.kubernetes.io/component=agent"),
        workloads(cluster),
        pods(cluster, &databases),
        list(
            Api::<api::ops::v1alpha1::PostgresOpsRequest>::all(client.clone()),
            ""
        ),
    );
    Ok(Facts {
        namespace: highwater.to_owned(),
        here: SystemClock.now(),
        there,
        definitions: definitions.map(|all| all.iter().map(objects::definition).collect()),
        workloads,
        leases: leases.map(|all| all.iter().map(objects::lease).collect()),
        priority_class: priority_class.map(|all| {
            all.iter()
                .any(|c| c.metadata.name.as_deref() == Some(PRIORITY_CLASS))
        }),
        classes: classes.map(|all| all.iter().map(objects::class).collect()),
        agents: agents.map(|all| all.iter().map(objects::pod).collect()),
        pods,
        requests: requests.map(|all| all.iter().filter_map(objects::request).collect()),
        may_ask,
        databases,
        nodes: nodes.map_err(|e| Chain(&e).to_string()),
    })
}

async fn list<K>(api: Api<K>, labels: &str) -> Known<Vec<K>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let listed = api.list(&ListParams::default().labels(labels)).await;
    let what = K::plural(&());
    listed
        .map(|list| list.items)
        .map_err(|error| format!("cannot list {what}: {}", Chain(&error)))
}

/// Its clock, from the head of any answer.
async fn time_of_server(cluster: &Cluster) -> Result<Known<Timestamp>, Error> {
    let failed = |source| Error::Api {
        what: "its version".into(),
        source,
    };
    let request = Request::get("/version").body(Body::empty());
    let request = request.map_err(|e| failed(kube::Error::HttpError(e)))?;
    let answer = cluster.client().send(request).await.map_err(failed)?;
    let date = answer
        .headers()
        .get(http::header::DATE)
        .and_then(|v| v.to_str().ok());
    let time = date
        .and_then(|text| rfc2822::parse(text).ok())
        .map(|zoned| zoned.timestamp());
    Ok(time.ok_or_else(|| "the API server does not tell the time".to_owned()))
}

async fn may_ask(cluster: &Cluster) -> Known<bool> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(cluster.highwater().to_owned()),
                verb: Some("get".into()),
                resource: Some("services".into()),
                subresource: Some("proxy".into()),
                name: Some(view::SERVICE.into()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client().clone());
    let answered = api.create(&PostParams::default(), &review).await;
    let answered = answered.map_err(|error| format!("cannot ask for my own rights: {}", Chain(&error)))?;
    Ok(answered.status.is_some_and(|s| s.allowed))
}

async fn workloads(cluster: &Cluster) -> Known<Vec<super::facts::Workload>> {
    let client = cluster.client();
    let (deployments, daemons, stateful) = futures::join!(
        list(Api::<Deployment>::all(client.clone()), ""),
        list(Api::<DaemonSet>::all(client.clone()), ""),
        list(Api::<StatefulSet>::all(client.clone()), ""),
    );
    let mut all: Vec<_> = deployments?.iter().map(objects::deployment).collect();
    all.extend(daemons?.iter().map(objects::daemon_set));
    all.extend(stateful?.iter().map(objects::stateful_set));
    Ok(all)
}

/// Pods in the namespaces of databases.
async fn pods(
    cluster: &Cluster,
    databases: &Known<view::Answer<Vec<view::Database>>>,
) -> Known<Vec<super::facts::Pod>> {
    let databases = databases.as_ref().map_err(Clone::clone)?;
    let namespaces: BTreeSet<&str> = databases.content.iter().map(|d| d.namespace.as_str()).collect();
    let mut all = Vec::new();
    for namespace in namespaces {
        let pods = list(Api::<Pod>::namespaced(cluster.client().clone(), namespace), "").await?;
        all.extend(pods.iter().map(objects::pod).filter(|pod| !pod.claims.is_empty()));
    }
    Ok(all)
}
