//! The members of a database: pods by ordinal, and what Patroni and PostgreSQL say, asked of all at the same time.

mod resize;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use api::names::{CONTAINER_POSTGRES, LABEL_ROLE, ROLE_PRIMARY};
use executor_core::{
    Needs,
    observed::{Answer, Cluster, Member, MemberPod, Own, Role, Sql, Trouble},
};
use futures::future::{join, join_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::json;
use units::Reason;

use super::{claim::is_ready, request::operation::resources};
use crate::member::{Credentials, Endpoint, Listing, Reach};

const REVISION: &str = "controller-revision-hash";

/// The members as they came.
#[derive(Debug)]
pub(crate) struct Members {
    /// Names by ordinal, and their pods.
    pub(crate) pods: Vec<(u32, String, Option<Pod>)>,
    /// What opens them.
    pub(crate) credentials: Answer<Credentials>,
    listing: Answer<Listing>,
    own: BTreeMap<String, Answer<Own>>,
    sql: BTreeMap<String, Answer<Sql>>,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            pods: Vec::new(),
            credentials: Answer::NotAsked,
            listing: Answer::NotAsked,
            own: BTreeMap::new(),
            sql: BTreeMap::new(),
        }
    }
}

/// Asks the members behind these pods.
pub(super) async fn ask(
    reach: &Arc<dyn Reach>,
    pods: Vec<(u32, String, Option<Pod>)>,
    credentials: Answer<Credentials>,
    needs: Needs,
) -> Members {
    let endpoints: Vec<Endpoint> = pods.iter().filter_map(endpoint).collect();
    let own = join_all(endpoints.iter().map(|at| async {
        let own = answer(reach.own(at).await);
        (at.name.clone(), own)
    }));
    let sql = join_all(endpoints.iter().filter(|_| needs.sql).map(|at| async {
        let sql = match &credentials {
            Answer::Says(credentials) => answer(reach.sql(at, &credentials.postgres).await),
            Answer::Silent(trouble) => Answer::Silent(trouble.clone()),
            Answer::NotAsked => Answer::NotAsked,
        };
        (at.name.clone(), sql)
    }));
    let (listing, (own, sql)) = join(list(reach, &pods), join(own, sql)).await;
    let (own, sql) = (own.into_iter().collect(), sql.into_iter().collect());
    Members {
        pods,
        credentials,
        listing,
        own,
        sql,
    }
}

/// The first answer: every member knows all, and the leader knows first.
async fn list(reach: &Arc<dyn Reach>, pods: &[(u32, String, Option<Pod>)]) -> Answer<Listing> {
    let mut trouble = Trouble {
        reason: Reason::PatroniNotAnswering,
        message: "no member has a pod with an address".to_owned(),
    };
    for at in leader_first(pods) {
        match reach.listing(&at).await {
            Ok(listing) => return Answer::Says(listing),
            Err(found) => trouble = found,
        }
    }
    Answer::Silent(trouble)
}

fn leader_first(pods: &[(u32, String, Option<Pod>)]) -> Vec<Endpoint> {
    let leads = |(_, _, pod): &(u32, String, Option<Pod>)| {
        let role = pod.as_ref().and_then(|pod| pod.labels().get(LABEL_ROLE));
        role.is_some_and(|role| role == ROLE_PRIMARY)
    };
    let (first, others): (Vec<_>, Vec<_>) = pods.iter().partition(|entry| leads(entry));
    first.into_iter().chain(others).filter_map(endpoint).collect()
}

fn endpoint((_, name, pod): &(u32, String, Option<Pod>)) -> Option<Endpoint> {
    let ip: IpAddr = pod.as_ref()?.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    Some(Endpoint {
        name: name.clone(),
        ip,
    })
}

fn answer<T>(asked: Result<T, Trouble>) -> Answer<T> {
    match asked {
        Ok(answer) => Answer::Says(answer),
        Err(trouble) => Answer::Silent(trouble),
    }
}

impl Members {
    /// Where what changes something for all is sent: to the leader, so that it acts at once, else to anyone.
    pub(crate) fn speaker(&self) -> Option<Endpoint> {
        let leader = self.cluster().says().and_then(|cluster| cluster.leader.clone());
        let named = leader.and_then(|leader| self.endpoint(&leader));
        named.or_else(|| leader_first(&self.pods).into_iter().next())
    }

    /// Where this member answers.
    pub(crate) fn endpoint(&self, name: &str) -> Option<Endpoint> {
        self.pods
            .iter()
            .find(|(_, member, _)| member == name)
            .and_then(endpoint)
    }

    /// Why they cannot be opened.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.credentials.trouble()
    }

    /// Whether anybody was asked: what they say is old after the next write.
    pub(crate) fn were_asked(&self) -> bool {
        self.listing != Answer::NotAsked
    }

    /// As the core reads them.
    pub(super) fn members(&self) -> Vec<Member> {
        let listed = |name: &str| self.listing.says()?.members.get(name).cloned();
        let member = |(ordinal, name, object): &(u32, String, Option<Pod>)| Member {
            ordinal: *ordinal,
            name: name.clone(),
            pod: object.as_ref().map(pod),
            standing: listed(name),
            own: self.own.get(name).cloned().unwrap_or(Answer::NotAsked),
            sql: self.sql.get(name).cloned().unwrap_or(Answer::NotAsked),
        };
        self.pods.iter().map(member).collect()
    }

    /// What Patroni says of the whole, as the core reads it.
    pub(super) fn cluster(&self) -> Answer<Cluster> {
        let listing = match &self.listing {
            Answer::Says(listing) => listing,
            Answer::Silent(trouble) => return Answer::Silent(trouble.clone()),
            Answer::NotAsked => return Answer::NotAsked,
        };
        let leader = listing
            .members
            .iter()
            .find(|(_, standing)| standing.role == Role::Leader);
        let is_stranger = |name: &&String| self.pods.iter().all(|(_, member, _)| member != *name);
        Answer::Says(Cluster {
            leader: leader.map(|(name, _)| name.clone()),
            strangers: listing.members.keys().filter(is_stranger).cloned().collect(),
            synchronous: listing.synchronous,
            member_slots_ttl: listing.member_slots_ttl,
            paused: listing.paused,
            forks: listing.forks.clone(),
        })
    }
}

fn pod(pod: &Pod) -> MemberPod {
    let status = pod.status.clone().unwrap_or_default();
    let spec = pod.spec.clone().unwrap_or_default();
    let container_status = status
        .container_statuses
        .into_iter()
        .flatten()
        .find(|container| container.name == CONTAINER_POSTGRES);
    let state = container_status
        .as_ref()
        .and_then(|container| container.state.clone());
    let waiting = state.as_ref().and_then(|state| {
        let waiting = state.waiting.as_ref()?;
        let message = waiting.message.clone().unwrap_or_default();
        Some(
            format!("{} {message}", waiting.reason.clone()?)
                .trim_end()
                .to_owned(),
        )
    });
    let conditions = status.conditions.unwrap_or_default();
    let unscheduled = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .and_then(|condition| condition.message.clone());
    let resize = resize::of(&conditions, container_status.as_ref(), &spec);
    let container = spec
        .containers
        .iter()
        .find(|container| container.name == CONTAINER_POSTGRES);
    let asked = container.and_then(|container| container.resources.clone());
    MemberPod {
        uid: pod.uid().unwrap_or_default(),
        created: pod
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        assigned: spec.node_name.is_some(),
        terminating: pod.metadata.deletion_timestamp.is_some(),
        finished: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
        running: state.is_some_and(|state| state.running.is_some()),
        ready: is_ready(pod),
        role: pod.labels().get(LABEL_ROLE).cloned(),
        revision: pod.labels().get(REVISION).cloned(),
        resources: resources(&json!(asked)),
        resize,
        complaint: unscheduled.or(waiting),
    }
}
