//! How this process meets running members: the seam between a step and Patroni or PostgreSQL.
//!
//! In production it is crate `database`; tests put something else in its place.

mod real;

use std::{collections::BTreeMap, net::IpAddr};

use executor_core::observed::{Fork, Own, Sql, Standing, Trouble};
use futures::future::BoxFuture;
use serde_json::Value;

pub(crate) use self::real::Real;

/// Where a member answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Address of its pod.
    pub ip: IpAddr,
}

/// A name with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, password: _ } = self;
        f.debug_struct("Login")
            .field("user", user)
            .finish_non_exhaustive()
    }
}

/// What opens a database to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Of the superuser, for SQL.
    pub postgres: Login,
    /// Of Patroni's REST API, for what changes something.
    pub patroni: Login,
}

/// `GET /cluster`, `GET /config` and `GET /history` of one member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// All members that Patroni knows, by name.
    pub members: BTreeMap<String, Standing>,
    /// `synchronous_mode`.
    pub synchronous: bool,
    /// `member_slots_ttl`, in seconds.
    pub member_slots_ttl: Option<u64>,
    /// Whether somebody paused Patroni.
    pub paused: bool,
    /// How timelines ended.
    pub forks: Vec<Fork>,
}

/// A question's answer, or why there is none.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, Trouble>>;

/// What can be asked of members, and told to them. Every answer comes within seconds.
pub trait Reach: Send + Sync {
    /// What this member's Patroni says of all members.
    fn listing<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Listing>;
    /// What this member's Patroni says of itself.
    fn own<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Own>;
    /// What this member's PostgreSQL says.
    fn sql<'a>(&'a self, at: &'a Endpoint, login: &'a Login) -> Asked<'a, Sql>;
    /// Merges `settings` into Patroni's dynamic settings.
    fn configure<'a>(&'a self, at: &'a Endpoint, login: &'a Login, settings: Value) -> Asked<'a, ()>;
    /// Lets `candidate` lead; refused unless `leader` leads.
    fn switchover<'a>(
        &'a self,
        at: &'a Endpoint,
        login: &'a Login,
        leader: &'a str,
        candidate: &'a str,
    ) -> Asked<'a, ()>;
    /// Drops a replication slot that nobody uses.
    fn drop_slot<'a>(&'a self, at: &'a Endpoint, login: &'a Login, slot: &'a str) -> Asked<'a, ()>;
}
