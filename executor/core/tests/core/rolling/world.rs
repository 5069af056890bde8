//! A small world of members whose pods come and go: a PetSet's controller, kubelet, an offline-only driver, Patroni.

use std::collections::BTreeMap;

use executor_core::{
    Observed,
    lsn::Lsn,
    observed::{
        Answer, Claim, Cluster, Database, Member, MemberPod, Own, PetSet, PodResize, Role, Sql, Standing,
        Trouble,
    },
    request::{Request, Resources},
};
use units::Reason;

use crate::fixture::{at, claim, gib, seen};

mod others;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) request: Option<Request>,
    pub(crate) database: Database,
    pub(crate) petset: PetSet,
    pub(crate) nodes: Vec<Node>,
    pub(crate) leader: Option<usize>,
    /// Whose pod the executor deleted, until it is back.
    pub(crate) away: Option<usize>,
    /// The controller of the PetSet does nothing.
    pub(crate) abandoned: bool,
    /// How often each rare thing has happened.
    pub(crate) spent: BTreeMap<&'static str, u32>,
}

/// One ordinal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// Generation of its pod, when there is one.
    pub(crate) pod: Option<u32>,
    pub(crate) stopping: bool,
    /// Its container runs; PostgreSQL only with room.
    pub(crate) running: bool,
    /// Its disk is full: PostgreSQL cannot start before it has grown.
    pub(crate) full: bool,
    /// Rows on its disk.
    pub(crate) rows: u32,
    pub(crate) claim: Claim,
    /// Resources of its pod.
    pub(crate) resources: Resources,
    pub(crate) resize: Option<PodResize>,
    pub(crate) made: u32,
}

impl Node {
    /// PostgreSQL takes connections.
    pub(crate) fn is_up(&self) -> bool {
        self.running && !self.stopping && (!self.full || self.claim.capacity >= gib(20))
    }
}

/// `count` in `cpu`.
pub(crate) fn cpus(count: u32) -> Resources {
    Resources {
        requests: BTreeMap::from([("cpu".to_owned(), count.to_string())]),
        limits: BTreeMap::new(),
    }
}

impl World {
    /// `members` run and stream from `leader`; a provisioner acknowledges.
    pub(crate) fn new(request: Request, members: usize, leader: usize) -> World {
        let node = |ordinal: usize| Node {
            pod: Some(1),
            stopping: false,
            running: true,
            full: false,
            rows: 1,
            claim: claim(u32::try_from(ordinal).unwrap()),
            resources: cpus(1),
            resize: None,
            made: 1,
        };
        let base = seen();
        let replicas = u32::try_from(members).unwrap();
        World {
            now: 10,
            database: Database {
                resources: cpus(1),
                ..base.database.unwrap()
            },
            petset: PetSet {
                unmanaged: false,
                replicas,
                present: Some(replicas),
                resources: cpus(1),
                ..base.petset.unwrap()
            },
            request: Some(request),
            nodes: (0..members).map(node).collect(),
            leader: Some(leader),
            away: None,
            abandoned: false,
            spent: BTreeMap::new(),
        }
    }

    /// The same with every disk full: nobody takes connections.
    pub(crate) fn all_full(mut self) -> World {
        for (ordinal, node) in self.nodes.iter_mut().enumerate() {
            node.full = true;
            // The leader had rows that it could not send.
            node.rows = if self.leader == Some(ordinal) { 3 } else { 2 };
        }
        self
    }

    /// What a look at it shows.
    pub(crate) fn observe(&self) -> Observed {
        let answers = self.nodes.iter().any(|node| node.running);
        let cluster = Cluster {
            leader: self.leader.map(|leader| format!("pg-{leader}")),
            strangers: Vec::new(),
            synchronous: false,
            member_slots_ttl: None,
            paused: false,
            forks: Vec::new(),
        };
        Observed {
            database: Some(self.database.clone()),
            petset: Some(self.petset.clone()),
            claims: self.nodes.iter().map(|node| self.claim(node)).collect(),
            members: (0..self.nodes.len())
                .map(|ordinal| self.member(ordinal))
                .collect(),
            cluster: if answers { Answer::Says(cluster) } else { silent() },
            ..seen()
        }
    }

    fn claim(&self, node: &Node) -> Claim {
        let mut claim = node.claim.clone();
        claim.pods.retain(|_| node.pod.is_some());
        claim
    }

    fn member(&self, ordinal: usize) -> Member {
        let node = &self.nodes[ordinal];
        let leads = self.leader == Some(ordinal);
        let streams = |(other, node): &(usize, &Node)| node.is_up() && *other != ordinal && leads;
        let others = self.nodes.iter().enumerate().filter(streams);
        let streaming = others.map(|(other, _)| format!("pg-{other}")).collect();
        let state = match (node.is_up(), leads) {
            (true, true) => "running",
            (true, false) => "streaming",
            (false, _) => "starting",
        };
        Member {
            ordinal: u32::try_from(ordinal).unwrap(),
            name: format!("pg-{ordinal}"),
            pod: node.pod.map(|generation| MemberPod {
                uid: format!("pod-{ordinal}-{generation}"),
                created: at(0),
                assigned: true,
                terminating: node.stopping,
                finished: false,
                running: node.running,
                ready: node.is_up(),
                role: leads.then(|| "primary".to_owned()),
                revision: None,
                resources: node.resources.clone(),
                resize: node.resize.clone(),
                complaint: None,
            }),
            standing: node.running.then(|| Standing {
                role: if leads { Role::Leader } else { Role::Replica },
                state: state.into(),
                timeline: node.is_up().then_some(1),
                lag: (node.is_up() && !leads).then_some(0),
            }),
            own: match node.is_up() {
                true => Answer::Says(Own {
                    leads,
                    state: "running".into(),
                    timeline: Some(1),
                    position: Some(Lsn(node.rows.into())),
                }),
                false => silent(),
            },
            sql: match node.is_up() {
                true => Answer::Says(Sql {
                    in_recovery: !leads,
                    position: Lsn(node.rows.into()),
                    streaming,
                    slots: Vec::new(),
                }),
                false => silent(),
            },
        }
    }

    /// Everything that somebody else may do now, the usual first.
    pub(crate) fn others(&self) -> Vec<(&'static str, World)> {
        let mut all = Vec::new();
        let mut add = |name, next: Option<World>| all.extend(next.map(|next| (name, next)));
        add("controller", self.controller());
        for ordinal in 0..self.nodes.len() {
            add("kubelet", self.kubelet(ordinal));
            add("driver", self.driver(ordinal));
        }
        for ordinal in 0..self.nodes.len() {
            add("lead", self.lead(ordinal));
        }
        all
    }

    /// A rare thing happens, if it may once more.
    pub(crate) fn rarely(&self, what: &'static str, change: impl FnOnce(&mut World)) -> Option<World> {
        let mut next = self.clone();
        let spent = next.spent.entry(what).or_default();
        *spent += 1;
        if *spent > 1 {
            return None;
        }
        change(&mut next);
        Some(next)
    }
}

fn silent<T>() -> Answer<T> {
    Answer::Silent(Trouble {
        reason: Reason::PatroniNotAnswering,
        message: "no answer".into(),
    })
}
