//! Which claims belong to which database. Pure: built from what is known, asked by claim.
//!
//! The data claims of a Postgres `<db>` are `data-<set>-<n>`, for every PetSet that is the database's: by an
//! owner reference to its uid, else by KubeDB's labels, else by being named `<db>`. The set `<db>` counts also
//! while its object does not exist, since KubeDB deletes and recreates it during a request. The arbiter and
//! read replicas hold other data and are left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use arcstr::ArcStr;
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
    pub namespace: ArcStr,
    /// Name of the Postgres.
    pub name: ArcStr,
    /// Uid of the Postgres.
    pub uid: ArcStr,
}

/// A PetSet, as far as claims are concerned. Its words are shared with the join.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Namespace of the set.
    pub namespace: ArcStr,
    /// Name of the set.
    pub name: ArcStr,
    /// The Postgres that its labels, or those of its selector, name.
    pub instance: Option<ArcStr>,
    /// Its labels say that it holds other data than the database's.
    pub holds_other_data: bool,
    /// Uids of the Postgres objects that it names as owners.
    pub owners: Box<[ArcStr]>,
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
    sets: HashMap<ArcStr, HashMap<ArcStr, usize>>,
    /// Namespace, then database, to its sets that are not named as it is: few have one.
    others: HashMap<ArcStr, HashMap<ArcStr, Vec<ArcStr>>>,
}

impl Join {
    /// From everything that is known. Sets of no database are left out.
    #[must_use]
    pub fn new(databases: impl IntoIterator<Item = Database>, sets: impl IntoIterator<Item = Set>) -> Join {
        let databases: Vec<Database> = databases.into_iter().collect();
        let mut join = Join {
            sets: HashMap::new(),
            others: HashMap::new(),
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
            let database = join.databases.get(place).map(|d| d.name.clone());
            if let Some(database) = database.filter(|database| *database != set) {
                let others = join.others.entry(namespace.clone()).or_default();
                others.entry(database).or_default().push(set.clone());
            }
            join.sets.entry(namespace).or_default().insert(set, place);
        }
        join
    }

    /// Whether it is known, and holds data in the set of its name.
    #[must_use]
    pub fn has(&self, database: &Database) -> bool {
        let sets = self.sets.get(&database.namespace);
        let place = sets.and_then(|sets| sets.get(&database.name));
        place.and_then(|place| self.databases.get(*place)) == Some(database)
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
    pub fn sets_of<'a>(&'a self, namespace: &str, database: &str) -> Vec<&'a str> {
        let of = |sets: &'a HashMap<ArcStr, usize>| {
            let (set, place) = sets.get_key_value(database)?;
            let holds = self.databases.get(*place).is_some_and(|d| *d.name == *database);
            holds.then_some(&**set)
        };
        let own = self.sets.get(namespace).and_then(of);
        let others = self.others.get(namespace).and_then(|o| o.get(database));
        let others = others.into_iter().flatten().map(|set| &**set);
        let mut names: Vec<&str> = own.into_iter().chain(others).collect();
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
    /// `word` makes, or finds, the words that it keeps. `None` for an object without namespace or uid, which no API server
    /// returns.
    #[must_use]
    pub fn of(postgres: &Postgres, word: impl Fn(&str) -> ArcStr) -> Option<Database> {
        Some(Database {
            namespace: word(postgres.metadata.namespace.as_deref()?),
            name: word(&postgres.name_any()),
            uid: word(postgres.metadata.uid.as_deref()?),
        })
    }
}

impl Set {
    /// `word` makes, or finds, the words that it keeps. `None` for an object without a namespace, which no API server returns.
    #[must_use]
    pub fn of(petset: &PetSet, word: impl Fn(&str) -> ArcStr) -> Option<Set> {
        let mut labels = petset.spec.selector.match_labels.clone().unwrap_or_default();
        labels.extend(petset.labels().clone());
        let owners = petset.owner_references().iter();
        Some(Set {
            owners: owners
                .filter(|owner| owner.kind == "Postgres" && owner.api_version.starts_with("kubedb.com/"))
                .map(|owner| word(&owner.uid))
                .collect(),
            ..Set::labelled(
                petset.metadata.namespace.as_deref()?,
                &petset.name_any(),
                &labels,
                word,
            )
        })
    }

    /// Of these labels, without owners. What is not needed of them is not kept: there is a set for each database.
    #[must_use]
    pub fn labelled(
        namespace: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
        word: impl Fn(&str) -> ArcStr,
    ) -> Set {
        let of_postgres = labels.get(LABEL_NAME).is_some_and(|name| name == NAME_POSTGRES);
        let role = labels.get(LABEL_ROLE).map(String::as_str);
        let instance = labels.get(LABEL_INSTANCE).filter(|_| of_postgres);
        Set {
            namespace: word(namespace),
            name: word(name),
            instance: instance.map(|name| word(name)),
            holds_other_data: matches!(role, Some("arbiter" | "read-replica"))
                || labels.contains_key(LABEL_READ_REPLICA),
            owners: Box::default(),
        }
    }
}

#[cfg(test)]
mod tests;
