//! Patroni and PostgreSQL of all members, in the memory of the test: what the executor asks and tells goes here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use executor::member::{Asked, Endpoint, Listing, Login, Reach};
use executor_core::{
    lsn::Lsn,
    observed::{Fork, Own, Role, Slot, Sql, Standing, Trouble},
};
use serde_json::Value;
use units::Reason;

/// The members that run.
#[derive(Default)]
pub(crate) struct Patroni(Mutex<State>);

#[derive(Default)]
struct State {
    leader: Option<String>,
    timeline: u64,
    position: u64,
    synchronous: bool,
    ttl: Option<u64>,
    forks: Vec<Fork>,
    /// Members that run, and the slots that each keeps.
    members: BTreeMap<String, BTreeSet<String>>,
    /// What was told, in order.
    told: Vec<String>,
}

fn slot(name: &str) -> String {
    name.replace('-', "_")
}

fn no<T>(message: &str) -> Result<T, Trouble> {
    Err(Trouble {
        reason: Reason::Refused,
        message: message.to_owned(),
    })
}

impl Patroni {
    /// A member that leads.
    pub(crate) fn led_by(leader: &str, synchronous: bool) -> Patroni {
        let patroni = Patroni::default();
        let mut state = patroni.lock();
        state.leader = Some(leader.to_owned());
        state.timeline = 1;
        state.position = 0x300_0000;
        state.synchronous = synchronous;
        drop(state);
        patroni
    }

    /// A member's pod runs.
    pub(crate) fn join(&self, name: &str) {
        let mut state = self.lock();
        if state.members.contains_key(name) {
            return;
        }
        let others: BTreeSet<String> = state.members.keys().map(|other| slot(other)).collect();
        for slots in state.members.values_mut() {
            slots.insert(slot(name));
        }
        state.members.insert(name.to_owned(), others);
    }

    /// A member's pod is gone. Its slots stay, as they do where Patroni is slow.
    pub(crate) fn leave(&self, name: &str) {
        let mut state = self.lock();
        state.members.remove(name);
        if state.leader.as_deref() == Some(name) {
            state.leader = None;
        }
    }

    /// What was told, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        self.lock().told.clone()
    }

    /// `member_slots_ttl`, whether commits wait, and all slots that are left.
    pub(crate) fn settings(&self) -> (Option<u64>, bool, Vec<String>) {
        let state = self.lock();
        let slots: BTreeSet<String> = state.members.values().flatten().cloned().collect();
        (state.ttl, state.synchronous, slots.into_iter().collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn role(&self, name: &str) -> Role {
        match () {
            () if self.leader.as_deref() == Some(name) => Role::Leader,
            () if self.synchronous => Role::SyncStandby,
            () => Role::Replica,
        }
    }

    fn at(&self, at: &Endpoint) -> Result<(), Trouble> {
        match self.members.contains_key(&at.name) {
            true => Ok(()),
            false => no("nobody answers there"),
        }
    }

    fn listing(&self) -> Listing {
        let standing = |name: &String| Standing {
            role: self.role(name),
            state: "streaming".into(),
            timeline: Some(self.timeline),
            lag: Some(0),
        };
        Listing {
            members: self
                .members
                .keys()
                .map(|name| (name.clone(), standing(name)))
                .collect(),
            synchronous: self.synchronous,
            member_slots_ttl: self.ttl,
            paused: false,
            forks: self.forks.clone(),
        }
    }

    fn sql(&self, name: &str) -> Sql {
        let leads = self.leader.as_deref() == Some(name);
        let slot = |slot: &String| Slot {
            name: slot.clone(),
            active: self
                .members
                .keys()
                .any(|member| slot == &member.replace('-', "_")),
        };
        Sql {
            in_recovery: !leads,
            position: Lsn(self.position),
            streaming: self
                .members
                .keys()
                .filter(|other| leads && *other != name)
                .cloned()
                .collect(),
            slots: self.members[name].iter().map(slot).collect(),
        }
    }

    fn switch(&mut self, leader: &str, candidate: &str) -> Result<(), Trouble> {
        if self.leader.as_deref() != Some(leader) || !self.members.contains_key(candidate) {
            return no("412");
        }
        self.told.push(format!("{candidate} leads"));
        let (timeline, at) = (self.timeline, Lsn(self.position));
        self.forks.push(Fork {
            timeline,
            at,
            leader: Some(candidate.to_owned()),
        });
        self.timeline += 1;
        self.position += 0x100;
        self.leader = Some(candidate.to_owned());
        Ok(())
    }
}

fn answered<'a, T: Send + 'a>(answer: Result<T, Trouble>) -> Asked<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Reach for Patroni {
    fn listing<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Listing> {
        let state = self.lock();
        answered(state.at(at).map(|()| state.listing()))
    }

    fn own<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Own> {
        let state = self.lock();
        answered(state.at(at).map(|()| Own {
            leads: state.leader.as_ref() == Some(&at.name),
            state: "running".into(),
            timeline: Some(state.timeline),
            position: Some(Lsn(state.position)),
        }))
    }

    fn sql<'a>(&'a self, at: &'a Endpoint, login: &'a Login) -> Asked<'a, Sql> {
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("postgres", "secret")
        );
        let state = self.lock();
        answered(state.at(at).map(|()| state.sql(&at.name)))
    }

    fn configure<'a>(&'a self, at: &'a Endpoint, login: &'a Login, settings: Value) -> Asked<'a, ()> {
        assert_eq!((login.user.as_str(), login.password.as_str()), ("rest", "api"));
        let mut state = self.lock();
        state.told.push(settings.to_string());
        if let Some(ttl) = settings.get("member_slots_ttl") {
            state.ttl = ttl.as_u64();
        }
        if let Some(on) = settings.get("synchronous_mode").and_then(Value::as_bool) {
            state.synchronous = on;
        }
        answered(state.at(at))
    }

    fn switchover<'a>(
        &'a self,
        at: &'a Endpoint,
        _: &'a Login,
        leader: &'a str,
        candidate: &'a str,
    ) -> Asked<'a, ()> {
        let mut state = self.lock();
        let there = state.at(at);
        answered(there.and_then(|()| state.switch(leader, candidate)))
    }

    fn drop_slot<'a>(&'a self, at: &'a Endpoint, _: &'a Login, slot: &'a str) -> Asked<'a, ()> {
        let mut state = self.lock();
        state.told.push(format!("drop {slot} on {}", at.name));
        match state.members.get_mut(&at.name).map(|slots| slots.remove(slot)) {
            Some(_) => answered(Ok(())),
            None => answered(no("nobody answers there")),
        }
    }
}
