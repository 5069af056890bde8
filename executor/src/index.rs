//! What belongs together: which requests, claims and pods a database has. Kept up to date by the watches' changes.
//!
//! Names only. Without it every look would search all objects of the cluster.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use api::{
    join::Join,
    names::{DATA_TEMPLATE, claim_name, split_claim},
};
use control::watch::{Change, Key};

use crate::watches::{SeenClaim, SeenPod, SeenRequest, Stores};

/// Shared by whoever looks and whoever hears of changes.
#[derive(Debug, Clone)]
pub(crate) struct Index(Arc<Mutex<Contents>>, Stores);

#[derive(Debug, Default)]
struct Contents {
    /// By database.
    requests: HashMap<Key, BTreeSet<String>>,
    /// By set: claims by ordinal.
    claims: HashMap<Key, BTreeMap<u32, String>>,
    /// By claim.
    pods: HashMap<Key, BTreeSet<String>>,
    /// Which set belongs to which database; none after a change, until it is asked for.
    join: Option<Arc<Join>>,
}

impl Index {
    pub(crate) fn new(stores: Stores) -> Self {
        Self(Arc::default(), stores)
    }

    /// Names of a database's requests.
    pub(crate) fn requests(&self, database: &Key) -> Vec<String> {
        self.lock()
            .requests
            .get(database)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Names of a database's claims, by set and ordinal; the sets first.
    pub(crate) fn claims(&self, database: &Key) -> (Vec<String>, Vec<String>) {
        let join = self.join();
        let sets: Vec<String> = join
            .sets_of(&database.namespace, &database.name)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let contents = self.lock();
        let of = |set: &String| contents.claims.get(&database.beside(set));
        let claims = sets
            .iter()
            .filter_map(of)
            .flat_map(|claims| claims.values().cloned())
            .collect();
        (sets, claims)
    }

    /// Names of the pods that use a claim.
    pub(crate) fn pods(&self, claim: &Key) -> Vec<String> {
        self.lock()
            .pods
            .get(claim)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// The database of a claim.
    pub(crate) fn database_of(&self, claim: &Key) -> Option<Key> {
        let join = self.join();
        let member = join.of_claim(&claim.namespace, &claim.name)?;
        Some(Key::sharing(&member.database.namespace, &member.database.name))
    }

    /// The databases whose data this set holds: its own, as far as is known.
    pub(crate) fn database_of_set(&self, set: &Key) -> Option<Key> {
        let claim = claim_name(DATA_TEMPLATE, &set.name, 0);
        self.database_of(&set.beside(&claim))
    }

    pub(crate) fn databases_changed(&self) {
        self.lock().join = None;
    }

    pub(crate) fn request_changed(&self, change: &Change<SeenRequest>) {
        let Change { key, old, new } = change;
        let database = |request: &Arc<SeenRequest>| key.beside(&request.database);
        move_name(
            &mut self.lock().requests,
            old.iter().map(database),
            new.iter().map(database),
            &key.name,
        );
    }

    pub(crate) fn claim_changed(&self, change: &Change<SeenClaim>) {
        let Some((set, ordinal)) = split_claim(&change.key.name, DATA_TEMPLATE) else {
            return;
        };
        let set = change.key.beside(set);
        let mut contents = self.lock();
        let claims = contents.claims.entry(set.clone()).or_default();
        match &change.new {
            Some(_) => drop(claims.insert(ordinal, change.key.name.to_string())),
            None => drop(claims.remove(&ordinal)),
        }
        if claims.is_empty() {
            contents.claims.remove(&set);
        }
    }

    pub(crate) fn pod_changed(&self, change: &Change<SeenPod>) {
        let Change { key, old, new } = change;
        let claims =
            |pod: &Arc<SeenPod>| -> Vec<Key> { pod.claims.iter().map(|claim| key.beside(claim)).collect() };
        move_name(
            &mut self.lock().pods,
            old.iter().flat_map(claims),
            new.iter().flat_map(claims),
            &key.name,
        );
    }

    /// Built outside the lock: it reads two stores.
    fn join(&self) -> Arc<Join> {
        if let Some(join) = &self.lock().join {
            return Arc::clone(join);
        }
        let databases = self
            .1
            .postgreses
            .all()
            .into_iter()
            .map(|(_, postgres)| postgres.database.clone());
        let sets = self.1.petsets.all().into_iter().map(|(_, set)| set.set.clone());
        let join = Arc::new(Join::new(databases, sets));
        self.lock().join = Some(Arc::clone(&join));
        join
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a name from where it was and puts it where it is.
fn move_name(
    map: &mut HashMap<Key, BTreeSet<String>>,
    old: impl Iterator<Item = Key>,
    new: impl Iterator<Item = Key>,
    name: &str,
) {
    for key in old {
        if let Some(names) = map.get_mut(&key) {
            names.remove(name);
            if names.is_empty() {
                map.remove(&key);
            }
        }
    }
    for key in new {
        map.entry(key).or_default().insert(name.to_owned());
    }
}
