//! Which claims belong to which database. Pure: built from what is known, asked by claim.
//!
//! The data claims of a Postgres `<db>` are `data-<set>-<n>`, for every PetSet that is the database's: by an
//! owner reference to its uid, else by KubeDB's labels, else by being named `<db>`. The set `<db>` counts also
//! while its object does not exist, since KubeDB deletes and recreates it during a request. The arbiter and
//! read replicas hold other data and are left out.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use kube::ResourceExt;

use crate::{
    kubedb::v1::Postgres,
    names::{
        DATA_TEMPLATE, LABEL_INSTANCE, LABEL_NAME, LABEL_READ_REPLICA, LABEL_ROLE, NAME_POSTGRES, split_claim,
    },
    petset::v1::PetSet,
};

/// A database, as far as claims are concerned. Its words are shared: it is cloned into the join.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Database {
    /// Namespace of the Postgres.
    pub namespace: Arc<str>,
    /// Name of the Postgres.
    pub name: Arc<str>,
    /// Uid of the Postgres.
    pub uid: Arc<str>,
}

/// A PetSet, as far as claims are concerned. Its words are shared with the join.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Namespace of the set.
    pub namespace: Arc<str>,
    /// Name of the set.
    pub name: Arc<str>,
    /// The Postgres that its labels, or those of its selector, name.
    pub instance: Option<Arc<str>>,
    /// Its labels say that it holds other data than the database's.
    pub holds_other_data: bool,
    /// Uids of the Postgres objects that it names as owners.
    pub owners: Box<[Arc<str>]>,
}

/// Where a claim belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The database.
    pub database: &'a Database,
    /// Name of the set.
    pub set: &'a str,
    /// Ordinal of the pod within the set.
    pub ordinal: u32,
}

/// All databases and their sets.
#[derive(Debug, Clone, Default)]
pub struct Join {
    databases: Vec<Database>,
    /// Namespace, then set, to a place in `databases`.
    sets: HashMap<Arc<str>, HashMap<Arc<str>, usize>>,
}

impl Join {
    /// From everything that is known. Sets of no database are left out.
    #[must_use]
    pub fn new(databases: impl IntoIterator<Item = Database>, sets: impl IntoIterator<Item = Set>) -> Join {
        let databases: Vec<Database> = databases.into_iter().collect();
        let mut join = Join {
            sets: HashMap::new(),
            databases,
        };
        let by_uid: HashMap<&str, usize> = join
            .databases
            .iter()
            .enumerate()
            .map(|(place, database)| (&*database.uid, place))
            .collect();
        let by_name: HashMap<(&str, &str), usize> = join
            .databases
            .iter()
            .enumerate()
            .map(|(place, database)| ((&*database.namespace, &*database.name), place))
            .collect();
        let mut named = HashSet::new();
        let mut found = Vec::new();
        for set in sets {
            let database = owner(&set, &by_uid, &by_name);
            named.insert((set.namespace.clone(), set.name.clone()));
            if let Some(place) =
                database.filter(|place| join.databases.get(*place).is_some_and(|d| holds_data(&set, d)))
            {
                found.push((set.namespace, set.name, place));
            }
        }
        for (place, database) in join.databases.iter().enumerate() {
            let key = (database.namespace.clone(), database.name.clone());
            if !named.contains(&key) {
                found.push((key.0, key.1, place));
            }
        }
        for (namespace, set, place) in found {
            join.sets.entry(namespace).or_default().insert(set, place);
        }
        join
    }

    /// The database that the claim holds data of.
    #[must_use]
    pub fn of_claim<'a>(&'a self, namespace: &str, claim: &'a str) -> Option<Member<'a>> {
        let (set, ordinal) = split_claim(claim, DATA_TEMPLATE)?;
        let place = *self.sets.get(namespace)?.get(set)?;
        Some(Member {
            database: self.databases.get(place)?,
            set,
            ordinal,
        })
    }

    /// The names of the sets that hold the database's data, sorted.
    #[must_use]
    pub fn sets_of(&self, namespace: &str, database: &str) -> Vec<&str> {
        let sets = self.sets.get(namespace).into_iter().flatten();
        let mut names: Vec<&str> = sets
            .filter(|(_, place)| self.databases.get(**place).is_some_and(|d| *d.name == *database))
            .map(|(set, _)| &**set)
            .collect();
        names.sort_unstable();
        names
    }
}

/// Owner reference before labels before name. A set owned by a Postgres that is gone belongs to nobody: it is
/// being deleted, and a new Postgres of the old name must not take its claims for its own.
fn owner(set: &Set, by_uid: &HashMap<&str, usize>, by_name: &HashMap<(&str, &str), usize>) -> Option<usize> {
    if !set.owners.is_empty() {
        return set.owners.iter().find_map(|uid| by_uid.get(&**uid).copied());
    }
    let named = |name: &str| by_name.get(&(&*set.namespace, name)).copied();
    let labelled = set.instance.as_deref().and_then(named);
    labelled.or_else(|| named(&set.name))
}

fn holds_data(set: &Set, database: &Database) -> bool {
    let is_arbiter = set.name.strip_prefix(&*database.name) == Some("-arbiter");
    !set.holds_other_data && !is_arbiter
}

impl Database {
    /// `None` for an object without namespace or uid, which no API server returns.
    #[must_use]
    pub fn of(postgres: &Postgres) -> Option<Database> {
        Some(Database {
            namespace: postgres.namespace()?.into(),
            name: postgres.name_any().into(),
            uid: postgres.uid()?.into(),
        })
    }
}

impl Set {
    /// `None` for an object without a namespace, which no API server returns.
    #[must_use]
    pub fn of(petset: &PetSet) -> Option<Set> {
        let mut labels = petset.spec.selector.match_labels.clone().unwrap_or_default();
        labels.extend(petset.labels().clone());
        let owners = petset.owner_references().iter();
        Some(Set {
            owners: owners
                .filter(|owner| owner.kind == "Postgres" && owner.api_version.starts_with("kubedb.com/"))
                .map(|owner| owner.uid.as_str().into())
                .collect(),
            ..Set::labelled(petset.namespace()?, petset.name_any(), &labels)
        })
    }

    /// Of these labels, without owners. What is not needed of them is not kept: there is a set for each database.
    #[must_use]
    pub fn labelled(namespace: String, name: String, labels: &BTreeMap<String, String>) -> Set {
        let of_postgres = labels.get(LABEL_NAME).is_some_and(|name| name == NAME_POSTGRES);
        let role = labels.get(LABEL_ROLE).map(String::as_str);
        Set {
            namespace: namespace.into(),
            name: name.into(),
            instance: labels
                .get(LABEL_INSTANCE)
                .filter(|_| of_postgres)
                .map(|name| name.as_str().into()),
            holds_other_data: matches!(role, Some("arbiter" | "read-replica"))
                || labels.contains_key(LABEL_READ_REPLICA),
            owners: Box::default(),
        }
    }
}

#[cfg(test)]
mod tests;
