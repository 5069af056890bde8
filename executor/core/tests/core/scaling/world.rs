//! A small world with members: a PetSet, pods, claims, a Patroni with a leader, a write-ahead log that may fork.

use executor_core::{
    Observed, Step,
    lsn::Lsn,
    observed::{
        Answer, Claim, Cluster, Database, Fork, Member, MemberPod, Own, PetSet, Role, Slot, Sql, Standing,
        Trouble,
    },
    request::{Request, Resources, StreamingMode},
};
use std::collections::{BTreeMap, BTreeSet};
use units::Reason;

use crate::fixture::{at, claim, gib, seen};

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) request: Option<Request>,
    pub(crate) database: Database,
    pub(crate) petset: PetSet,
    pub(crate) nodes: Vec<Node>,
    pub(crate) leader: Option<usize>,
    pub(crate) timeline: u64,
    pub(crate) forks: Vec<Fork>,
    pub(crate) synchronous: bool,
    pub(crate) ttl: Option<u64>,
    /// Patroni of no member answers.
    pub(crate) silent: bool,
    /// The executor's memory.
    pub(crate) troubles: BTreeMap<executor_core::observed::Target, Trouble>,
    /// What an executor has decided and not yet written, with the objects it saw.
    pub(crate) held: Option<(Step, Option<Request>, PetSet, Database)>,
    /// How often each rare thing has happened.
    pub(crate) spent: BTreeMap<&'static str, u32>,
}

/// One ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// Generation of its pod, when there is one.
    pub(crate) pod: Option<u32>,
    pub(crate) stopping: bool,
    /// PostgreSQL runs and, unless it leads, streams.
    pub(crate) running: bool,
    /// Generation of its claim, when there is one, and its size in GiB.
    pub(crate) claim: Option<(u32, u64)>,
    /// What is on the claim: timeline and position.
    pub(crate) log: (u64, u64),
    /// Ordinals of the members that it keeps slots for.
    pub(crate) slots: BTreeSet<usize>,
    made: u32,
}

impl World {
    /// `members` of `room` ordinals run and stream from ordinal `leader`.
    pub(crate) fn new(request: Request, members: usize, room: usize, leader: usize) -> World {
        let node = |ordinal: usize| Node {
            pod: (ordinal < members).then_some(1),
            running: ordinal < members,
            claim: (ordinal < members).then_some((1, 10)),
            log: (1, 1),
            slots: (0..members).filter(|other| *other != ordinal).collect(),
            made: 1,
            ..Node::default()
        };
        let base = seen();
        World {
            now: 10,
            request: Some(request),
            database: Database {
                managed: true,
                replicas: u32::try_from(members).ok(),
                ..base.database.unwrap()
            },
            petset: PetSet {
                unmanaged: false,
                replicas: u32::try_from(members).unwrap(),
                ..base.petset.unwrap()
            },
            nodes: (0..room).map(node).collect(),
            leader: Some(leader),
            timeline: 1,
            forks: Vec::new(),
            synchronous: false,
            ttl: None,
            silent: false,
            troubles: BTreeMap::new(),
            held: None,
            spent: BTreeMap::new(),
        }
    }

    /// The same, Synchronous.
    pub(crate) fn synchronous(mut self) -> World {
        self.synchronous = true;
        self.database.streaming = Some(StreamingMode::Synchronous);
        self
    }

    /// What a look at it shows.
    pub(crate) fn observe(&self) -> Observed {
        let trouble = || Trouble {
            reason: Reason::PatroniNotAnswering,
            message: "no answer".into(),
        };
        let answered = !self.silent && self.nodes.iter().any(|node| node.pod.is_some());
        let cluster = Cluster {
            leader: self.leader.map(|leader| format!("pg-{leader}")),
            strangers: Vec::new(),
            synchronous: self.synchronous,
            member_slots_ttl: self.ttl,
            paused: false,
            forks: self.forks.clone(),
        };
        Observed {
            database: Some(self.database.clone()),
            petset: Some(self.petset.clone()),
            claims: self.claims(),
            members: (0..self.nodes.len())
                .map(|ordinal| self.member(ordinal, answered))
                .collect(),
            cluster: if answered {
                Answer::Says(cluster)
            } else {
                Answer::Silent(trouble())
            },
            troubles: self.troubles.clone(),
            ..seen()
        }
    }

    fn claims(&self) -> Vec<Claim> {
        let of = |(ordinal, node): (usize, &Node)| {
            let (generation, size) = node.claim?;
            let ordinal = u32::try_from(ordinal).unwrap();
            Some(Claim {
                uid: format!("claim-{ordinal}-{generation}"),
                request: gib(size),
                capacity: gib(size),
                volume: Some(gib(size)),
                ..claim(ordinal)
            })
        };
        self.nodes.iter().enumerate().filter_map(of).collect()
    }

    fn member(&self, ordinal: usize, answered: bool) -> Member {
        let node = &self.nodes[ordinal];
        let leads = self.leader == Some(ordinal);
        let others = self.nodes.iter().enumerate();
        let streaming = others
            .filter(|(other, node)| node.running && leads && *other != ordinal)
            .map(|(other, _)| format!("pg-{other}"))
            .collect();
        let role = match () {
            () if leads => Role::Leader,
            () if self.synchronous => Role::SyncStandby,
            () => Role::Replica,
        };
        let slot = |other: &usize| Slot {
            name: format!("pg_{other}"),
            active: self.nodes[*other].running,
        };
        let (timeline, position) = node.log;
        let pod = node.pod.map(|generation| MemberPod {
            uid: format!("pod-{ordinal}-{generation}"),
            created: at(0),
            assigned: true,
            terminating: node.stopping,
            finished: false,
            running: node.running,
            ready: node.running,
            role: None,
            revision: None,
            resources: Resources::default(),
            resize: None,
            complaint: None,
        });
        Member {
            ordinal: u32::try_from(ordinal).unwrap(),
            name: format!("pg-{ordinal}"),
            standing: (pod.is_some() && answered).then(|| Standing {
                role,
                state: if node.running { "streaming" } else { "starting" }.into(),
                timeline: node.running.then_some(timeline),
                lag: (!leads).then(|| self.position().saturating_sub(position)),
            }),
            own: match node.running && answered {
                true => Answer::Says(Own {
                    leads,
                    state: "running".into(),
                    timeline: Some(timeline),
                    position: Some(Lsn(position)),
                }),
                false => silent(),
            },
            sql: match (node.pod.is_some(), node.running) {
                (false, _) => Answer::NotAsked,
                (true, false) => silent(),
                (true, true) => Answer::Says(Sql {
                    in_recovery: !leads,
                    position: Lsn(position),
                    streaming,
                    slots: node.slots.iter().map(slot).collect(),
                }),
            },
            pod,
        }
    }

    /// How far the leader has written.
    pub(crate) fn position(&self) -> u64 {
        self.leader.map_or(0, |leader| self.nodes[leader].log.1)
    }

    /// Whether all that is on a claim is with the leader, too: the truth, not what anybody noted.
    pub(crate) fn is_covered(&self, ordinal: usize) -> bool {
        let (timeline, position) = self.nodes[ordinal].log;
        match self.forks.iter().find(|fork| fork.timeline == timeline) {
            Some(fork) => position <= fork.at.0,
            None => timeline == self.timeline && position <= self.position(),
        }
    }

    /// That a rare thing happens, if it may once more.
    pub(crate) fn spend(&mut self, what: &'static str, most: u32) -> Option<()> {
        let spent = self.spent.entry(what).or_default();
        *spent += 1;
        (*spent <= most).then_some(())
    }

    /// A new pod for this ordinal, with the claim that it has, or a new one.
    pub(crate) fn make_pod(&mut self, ordinal: usize) {
        let size = self.petset.template.unwrap().get() >> 30;
        let node = &mut self.nodes[ordinal];
        node.made += 1;
        node.pod = Some(node.made);
        if node.claim.is_none() {
            node.claim = Some((node.made, size));
            node.log = (0, 0);
        }
    }
}

fn silent<T>() -> Answer<T> {
    Answer::Silent(Trouble {
        reason: Reason::DatabaseNotAnswering,
        message: "no answer".into(),
    })
}
