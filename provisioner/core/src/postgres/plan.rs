//! One look at a database: what is seen, and the single write that comes next.

use std::collections::BTreeMap;

use super::deletion;

/// An object of a database. The order is that of making: what a pod needs is there before the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// Secret `<db>-auth`: the superuser.
    Auth,
    /// Secret `<db>-patroni`: replication and Patroni's REST interface.
    Credentials,
    /// ServiceAccount of the members.
    Account,
    /// RoleBinding of the members to the shipped ClusterRole.
    Binding,
    /// ConfigMap `<db>-patroni`: what a member reads at its start.
    Config,
    /// Service `<db>-pods`, headless.
    Governing,
    /// Service `<db>`: the primary.
    Primary,
    /// Service `<db>-standby`.
    Standby,
    /// PetSet.
    Set,
    /// PodDisruptionBudget.
    Budget,
    /// A ConfigMap in which Patroni keeps the cluster's state; only ever removed by us.
    Store(StoreMap),
}

/// Patroni's ConfigMaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreMap {
    /// `<db>-config`: dynamic settings, and the identifier of the data.
    Config,
    /// `<db>-leader`.
    Leader,
    /// `<db>-failover`.
    Failover,
    /// `<db>-sync`.
    Sync,
}

impl Object {
    /// What a database consists of, in the order of making.
    pub const MADE: [Object; 10] = [
        Object::Auth,
        Object::Credentials,
        Object::Account,
        Object::Binding,
        Object::Config,
        Object::Governing,
        Object::Primary,
        Object::Standby,
        Object::Set,
        Object::Budget,
    ];

    /// Patroni's.
    pub const STORE: [Object; 4] = [
        Object::Store(StoreMap::Config),
        Object::Store(StoreMap::Leader),
        Object::Store(StoreMap::Failover),
        Object::Store(StoreMap::Sync),
    ];

    /// Whether it goes when the database is halted.
    const fn is_halted(self) -> bool {
        matches!(
            self,
            Object::Governing | Object::Primary | Object::Standby | Object::Set | Object::Budget
        )
    }
}

/// How an object stands to what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not there, and not wanted.
    Unneeded,
    /// Wanted and not there.
    Absent,
    /// As it should be.
    Same,
    /// There and ours, with something else in it.
    Differs,
    /// There and ours, and no longer wanted.
    Unwanted,
    /// Somebody else's: not touched.
    NotOurs,
    /// Being deleted.
    Ending,
}

/// What becomes of the data of a deleted database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Claims and secrets stay.
    Halt,
    /// Claims go, secrets stay.
    Delete,
    /// Everything goes.
    WipeOut,
    /// Deleting is refused.
    DoNotTerminate,
}

/// A database that is being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// What becomes of the data.
    pub policy: Policy,
    /// Whoever deleted it wants what it consists of to stay (`--cascade=orphan`).
    pub orphan: bool,
}

/// A pod of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Name.
    pub name: String,
    /// Its label says that it is the primary.
    pub says_primary: bool,
}

/// A data claim of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Name.
    pub name: String,
    /// Being deleted.
    pub ending: bool,
}

/// What is seen of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// It is being deleted.
    pub deletion: Option<Deletion>,
    /// Our finalizer is on it.
    pub finalizer: bool,
    /// It is to be stopped.
    pub halted: bool,
    /// A request has stopped us.
    pub paused: bool,
    /// What it should consist of is not known: nothing is made or changed.
    pub obstacle: bool,
    /// Every object, how it stands. One that is missing here counts as [`Standing::Unneeded`].
    pub objects: BTreeMap<Object, Standing>,
    /// Its pods.
    pub pods: Vec<Pod>,
    /// Its data claims.
    pub claims: Vec<Claim>,
    /// The leader that Patroni's store names; none if it names none, or was not read.
    pub leader: Option<String>,
    /// Patroni's dynamic settings were read and are not as they should be.
    pub settings_differ: bool,
}

impl Observed {
    /// How an object stands.
    #[must_use]
    pub fn standing(&self, object: Object) -> Standing {
        self.objects.get(&object).copied().unwrap_or(Standing::Unneeded)
    }
}

/// The next write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Put our finalizer on the Postgres.
    AddFinalizer,
    /// Make an object that is not there.
    Make(Object),
    /// Make an object what it should be.
    Change(Object),
    /// Delete an object.
    Remove(Object),
    /// Delete a claim: data is lost.
    RemoveClaim(String),
    /// Take the role of primary off a pod.
    TakeRole(String),
    /// Patch Patroni's dynamic settings.
    Settings,
    /// Take our finalizer off: nothing is left to be done.
    Release,
    /// Nothing to do, or something to wait for.
    Nothing,
}

/// The write that comes next.
///
/// A pod that wrongly says it is the primary comes before all else, also while paused: clients write to it.
#[must_use]
pub fn plan(seen: &Observed) -> Step {
    if let Some(pod) = false_primary(seen) {
        return Step::TakeRole(pod.to_owned());
    }
    if let Some(deletion) = seen.deletion {
        return deletion::next(seen, deletion);
    }
    if seen.paused {
        return Step::Nothing;
    }
    if !seen.finalizer {
        return Step::AddFinalizer;
    }
    if seen.halted {
        return halt(seen);
    }
    if seen.obstacle {
        return Step::Nothing;
    }
    make(seen)
}

fn false_primary(seen: &Observed) -> Option<&str> {
    let leader = seen.leader.as_ref()?;
    let pod = seen
        .pods
        .iter()
        .find(|pod| pod.says_primary && pod.name != *leader)?;
    Some(&pod.name)
}

fn make(seen: &Observed) -> Step {
    for object in Object::MADE {
        match seen.standing(object) {
            Standing::Absent if object == Object::Set => return first(seen),
            Standing::Absent => return Step::Make(object),
            Standing::Differs => return Step::Change(object),
            Standing::Unwanted => return Step::Remove(object),
            Standing::Unneeded | Standing::Same | Standing::NotOurs | Standing::Ending => {}
        }
    }
    if seen.settings_differ {
        return Step::Settings;
    }
    Step::Nothing
}

/// The set, once nothing is left of a database of this name whose claims are gone: with its identifier in Patroni's store,
/// new members would wait for ever for the old data.
fn first(seen: &Observed) -> Step {
    if !seen.pods.is_empty() {
        // Of a set before this one; they go, or the new set adopts them.
        return Step::Make(Object::Set);
    }
    let stale = Object::STORE
        .into_iter()
        .find(|object| seen.standing(*object) == Standing::Same);
    match stale {
        Some(object) if seen.claims.is_empty() => Step::Remove(object),
        _ => Step::Make(Object::Set),
    }
}

/// The set goes first; what remains needs no pods.
fn halt(seen: &Observed) -> Step {
    let is_there = |object: &Object| {
        matches!(
            seen.standing(*object),
            Standing::Same | Standing::Differs | Standing::Unwanted
        )
    };
    let mut all = Object::MADE.into_iter().filter(|object| object.is_halted());
    if is_there(&Object::Set) {
        return Step::Remove(Object::Set);
    }
    all.find(is_there).map_or(Step::Nothing, Step::Remove)
}
