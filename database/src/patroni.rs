//! Patroni's REST API (4.x), as far as Highwater uses it: who is who, dynamic settings, switchover.

mod answers;
mod history;
mod http;

use std::{error, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use thiserror::Error;

pub use answers::{Cluster, ClusterMember, Member, Replication, Role, State};
pub use history::Fork;

use crate::Lsn;

/// Asks the Patroni of any member. Holds no connection: cheap to clone, and a member that was replaced is no special case.
#[derive(Debug, Clone, Copy)]
pub struct Patroni {
    timeout: Duration,
}

/// What the verbs that change something ask for (`restapi.authentication`).
#[derive(Clone)]
pub struct Credentials {
    /// User name, without a colon.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Why there is no answer, or not the wanted one.
#[derive(Debug, Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("Patroni at {0} cannot be reached")]
    Unreachable(SocketAddr, #[source] Box<dyn error::Error + Send + Sync>),
    /// The whole call took too long. A change may have been made all the same: look before asking again.
    #[error("Patroni at {0} did not answer within {1:?}")]
    TimedOut(SocketAddr, Duration),
    /// The credentials are missing or wrong (401), or this address may not change anything (403).
    #[error("Patroni refuses the credentials: {0}")]
    Unauthorised(String),
    /// Patroni says no: 412 when a switchover is impossible, 503 when it failed, 409 when another change came first.
    #[error("Patroni refuses ({status}): {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Patroni's words, one line, at most 500 characters.
        text: String,
    },
    /// The answer is not what Patroni 4 says.
    #[error("the answer of Patroni at {0} is not understood")]
    NotUnderstood(SocketAddr, #[source] Box<dyn error::Error + Send + Sync>),
}

impl Patroni {
    /// `timeout` bounds each call as a whole, connecting included.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { timeout }
    }

    /// `GET /cluster`: all members as the store knows them.
    pub async fn cluster(&self, addr: SocketAddr) -> Result<Cluster, Error> {
        let answer = http::get(addr, "/cluster", self.timeout).await?;
        answers::cluster(&answer.accepted()?).map_err(|error| not_understood(addr, error))
    }

    /// `GET /patroni`: how this member sees itself.
    pub async fn member(&self, addr: SocketAddr) -> Result<Member, Error> {
        let answer = http::get(addr, "/patroni", self.timeout).await?;
        answers::member(&answer.accepted()?).map_err(|error| not_understood(addr, error))
    }

    /// `GET /config`: the dynamic settings in the store.
    pub async fn config(&self, addr: SocketAddr) -> Result<Value, Error> {
        let answer = http::get(addr, "/config", self.timeout).await?;
        answers::config(&answer.accepted()?).map_err(|error| not_understood(addr, error))
    }

    /// `GET /history`: how timelines ended, oldest first.
    pub async fn history(&self, addr: SocketAddr) -> Result<Vec<Fork>, Error> {
        let answer = http::get(addr, "/history", self.timeout).await?;
        history::history(&answer.accepted()?).map_err(|error| not_understood(addr, error))
    }

    /// `PATCH /config`: merges `patch` into the dynamic settings (null removes) and answers them as they are now.
    pub async fn patch_config(
        &self,
        addr: SocketAddr,
        credentials: &Credentials,
        patch: &Value,
    ) -> Result<Value, Error> {
        let answer = http::send("PATCH", addr, "/config", credentials, patch, self.timeout).await?;
        answers::config(&answer.accepted()?).map_err(|error| not_understood(addr, error))
    }

    /// `POST /switchover` from `leader` to `candidate`, or to whom Patroni prefers. Ask the leader: it acts at once, a standby only
    /// at its next turn. Patroni itself waits up to 20 s for the outcome and goes on when the caller is gone: after
    /// [`Error::TimedOut`] the cluster tells. The answer is Patroni's sentence.
    pub async fn switchover(
        &self,
        addr: SocketAddr,
        credentials: &Credentials,
        leader: &str,
        candidate: Option<&str>,
    ) -> Result<String, Error> {
        let body = match candidate {
            Some(candidate) => json!({"leader": leader, "candidate": candidate}),
            None => json!({"leader": leader}),
        };
        let answer = http::send("POST", addr, "/switchover", credentials, &body, self.timeout).await?;
        let text = answer.accepted()?;
        Ok(crate::one_line(&String::from_utf8_lossy(&text)))
    }
}

impl Cluster {
    /// Who holds the leader lock, if anyone does; `state` tells whether it runs.
    #[must_use]
    pub fn leader(&self) -> Option<&ClusterMember> {
        self.members
            .iter()
            .find(|member| matches!(member.role, Role::Leader | Role::StandbyLeader))
    }

    /// The member of that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&ClusterMember> {
        self.members.iter().find(|member| member.name == name)
    }
}

impl Member {
    /// The furthest position it is known to have: written on a primary, received or replayed on a standby.
    #[must_use]
    pub fn furthest(&self) -> Option<Lsn> {
        [self.location, self.received, self.replayed]
            .into_iter()
            .flatten()
            .max()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

fn not_understood(addr: SocketAddr, error: serde_json::Error) -> Error {
    Error::NotUnderstood(addr, error.into())
}
