//! Which objects belong together: kept up to date change by change, so that gathering one database does not walk
//! over all of them. Pure bookkeeping; it reads what the watches keep.

use std::{collections::HashMap, hash::Hash};

use api::{
    join::{Join, Set},
    names::{DATA_TEMPLATE, split_claim},
};
use arcstr::ArcStr;
use control::watch::{Change, Key};

use crate::objects::{Autoscaler, Limit, Objects, PodClaims, Postgres, Quota, Request};

/// Members by group, sorted; empty groups are not kept. Most groups have one member, or three: a list without room to
/// spare, since a set has room for eleven from the first.
#[derive(Debug)]
struct Groups<G, M>(HashMap<G, Vec<M>>);

impl<G: Eq + Hash, M: Ord + Clone> Groups<G, M> {
    fn add(&mut self, group: G, member: M) {
        let members = self.0.entry(group).or_default();
        if let Err(place) = members.binary_search(&member) {
            members.reserve_exact(1);
            members.insert(place, member);
        }
    }

    fn remove(&mut self, group: &G, member: &M) {
        if let Some(members) = self.0.get_mut(group) {
            if let Ok(place) = members.binary_search(member) {
                members.remove(place);
            }
            if members.is_empty() {
                self.0.remove(group);
            }
        }
    }

    fn of(&self, group: &G) -> Vec<M> {
        self.0.get(group).into_iter().flatten().cloned().collect()
    }
}

impl Groups<ArcStr, Key> {
    /// An object is in the group of its namespace.
    fn follow<T>(&mut self, change: &Change<T>) {
        let namespace = change.key.namespace.clone();
        match &change.new {
            Some(_) => self.add(namespace, change.key.clone()),
            None => self.remove(&namespace, &change.key),
        }
    }
}

impl<G, M> Default for Groups<G, M> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// The index. Databases are named by the key of their Postgres, whether it exists or not.
#[derive(Debug, Default)]
pub(crate) struct Index {
    autoscalers: Groups<Key, Key>,
    requests: Groups<Key, Key>,
    /// By set, since which sets are a database's changes with the sets.
    claims: Groups<Key, Key>,
    /// Those other than the one that a set has made the claim for.
    pods: Groups<Key, Key>,
    namespaces: Groups<ArcStr, Key>,
    quotas: Groups<ArcStr, Key>,
    limits: Groups<ArcStr, Key>,
    join: Join,
    join_is_old: bool,
}

impl Index {
    /// Takes in a change of an autoscaler; answers the databases it is about.
    pub(crate) fn autoscaler(&mut self, change: &Change<Autoscaler>) -> Vec<Key> {
        self.namespaces.follow(change);
        let of = |a: &Autoscaler| Key::sharing(&change.key.namespace, &a.database);
        let (old, new) = (change.old.as_deref().map(of), change.new.as_deref().map(of));
        if let Some(database) = &old {
            self.autoscalers.remove(database, &change.key);
        }
        if let Some(database) = &new {
            self.autoscalers.add(database.clone(), change.key.clone());
        }
        old.into_iter().chain(new).collect()
    }

    /// Takes in a change of a request; answers its database.
    pub(crate) fn request(&mut self, change: &Change<Request>) -> Vec<Key> {
        let of = |r: &Request| change.key.beside(&r.database);
        let (old, new) = (change.old.as_deref().map(of), change.new.as_deref().map(of));
        if let Some(database) = &old {
            self.requests.remove(database, &change.key);
        }
        if let Some(database) = &new {
            self.requests.add(database.clone(), change.key.clone());
        }
        old.into_iter().chain(new).collect()
    }

    /// Takes in a change of a Postgres; answers it, and every database of its namespace that an autoscaler names if it is
    /// another one than before: sets may have changed hands.
    pub(crate) fn postgres(&mut self, change: &Change<Postgres>, objects: &Objects) -> Vec<Key> {
        let known = |postgres: &Postgres| !self.join_is_old && self.join.has(&postgres.database);
        // Its conditions change more often than it does.
        if change.new.as_deref().is_some_and(known) {
            return vec![change.key.clone()];
        }
        self.join_is_old = true;
        let mut databases = self.of_namespace(&change.key.namespace, objects);
        databases.push(change.key.clone());
        databases
    }

    /// Takes in a change of a set; answers every database of its namespace that an autoscaler names.
    pub(crate) fn set(&mut self, change: &Change<Set>, objects: &Objects) -> Vec<Key> {
        self.join_is_old = true;
        self.of_namespace(&change.key.namespace, objects)
    }

    /// Takes in that a claim came or went; answers its database.
    pub(crate) fn claim<T>(&mut self, change: &Change<T>, objects: &Objects) -> Vec<Key> {
        if let Some((set, _)) = split_claim(&change.key.name, DATA_TEMPLATE) {
            let set = change.key.beside(set);
            match &change.new {
                Some(_) => self.claims.add(set, change.key.clone()),
                None => self.claims.remove(&set, &change.key),
            }
        }
        self.database_of(&change.key, objects).into_iter().collect()
    }

    /// Takes in a change of a pod; answers the databases of its claims.
    pub(crate) fn pod(&mut self, change: &Change<PodClaims>, objects: &Objects) -> Vec<Key> {
        let claims = |pod: Option<&PodClaims>| -> Vec<Key> {
            let names = pod.into_iter().flat_map(|p| &p.claims);
            names
                .map(|claim| Key::sharing(&change.key.namespace, claim))
                .collect()
        };
        let (old, new) = (claims(change.old.as_deref()), claims(change.new.as_deref()));
        let is_foreign = |claim: &&Key| of_set(claim).as_ref() != Some(&change.key);
        for claim in old.iter().filter(is_foreign) {
            self.pods.remove(claim, &change.key);
        }
        for claim in new.iter().filter(is_foreign) {
            self.pods.add(claim.clone(), change.key.clone());
        }
        old.iter()
            .chain(&new)
            .filter_map(|claim| self.database_of(claim, objects))
            .collect()
    }

    /// Takes in that a quota came, changed or went; answers the databases it binds.
    pub(crate) fn quota(&mut self, change: &Change<Quota>, objects: &Objects) -> Vec<Key> {
        self.quotas.follow(change);
        self.of_namespace(&change.key.namespace, objects)
    }

    /// Takes in that a limit range came, changed or went; answers the databases it binds.
    pub(crate) fn limit(&mut self, change: &Change<Limit>, objects: &Objects) -> Vec<Key> {
        self.limits.follow(change);
        self.of_namespace(&change.key.namespace, objects)
    }

    /// The quotas and the limit ranges of a namespace.
    pub(crate) fn bounds(&self, namespace: &ArcStr) -> (Vec<Key>, Vec<Key>) {
        (self.quotas.of(namespace), self.limits.of(namespace))
    }

    /// Databases of a namespace that autoscalers name.
    pub(crate) fn of_namespace(&self, namespace: &ArcStr, objects: &Objects) -> Vec<Key> {
        let autoscalers = self.namespaces.of(namespace);
        let database = |key: &Key| Some(Key::sharing(namespace, &objects.autoscalers.get(key)?.database));
        autoscalers.iter().filter_map(database).collect()
    }

    /// The autoscalers that name a database.
    pub(crate) fn autoscalers(&self, database: &Key) -> Vec<Key> {
        self.autoscalers.of(database)
    }

    /// The VolumeExpansion requests of a database.
    pub(crate) fn requests(&self, database: &Key) -> Vec<Key> {
        self.requests.of(database)
    }

    /// The data claims of a database, by set and ordinal.
    pub(crate) fn claims(&mut self, database: &Key, objects: &Objects) -> Vec<Key> {
        self.refresh(objects);
        let sets = self.join.sets_of(&database.namespace, &database.name);
        let mut claims: Vec<Key> = sets
            .iter()
            .flat_map(|set| self.claims.of(&database.beside(set)))
            .collect();
        claims.sort_by_cached_key(|claim| {
            split_claim(&claim.name, DATA_TEMPLATE).map(|(set, ordinal)| (set.to_owned(), ordinal))
        });
        claims
    }

    /// The pods that may use the claim, those that have ended among them: the one that its set has for it, which need not
    /// be there, and others that do.
    pub(crate) fn pods(&self, claim: &Key) -> Vec<Key> {
        of_set(claim).into_iter().chain(self.pods.of(claim)).collect()
    }

    /// The database that a claim holds data of.
    pub(crate) fn database_of(&mut self, claim: &Key, objects: &Objects) -> Option<Key> {
        self.refresh(objects);
        let member = self.join.of_claim(&claim.namespace, &claim.name)?;
        Some(Key::sharing(&member.database.namespace, &member.database.name))
    }

    /// Joins anew when databases or sets have changed since the last time somebody asked.
    fn refresh(&mut self, objects: &Objects) {
        if std::mem::take(&mut self.join_is_old) {
            let databases = objects
                .postgreses
                .all()
                .into_iter()
                .map(|(_, p)| p.database.clone());
            let sets = objects.sets.all().into_iter().map(|(_, set)| (*set).clone());
            self.join = Join::new(databases, sets);
        }
    }
}

/// The pod for which a set has made the claim, by its name: there are too many to keep an entry for each.
fn of_set(claim: &Key) -> Option<Key> {
    let pod = claim.name.strip_prefix(DATA_TEMPLATE)?.strip_prefix('-')?;
    split_claim(&claim.name, DATA_TEMPLATE).map(|_| claim.beside(pod))
}

#[cfg(test)]
mod tests;
