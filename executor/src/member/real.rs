//! Members as crate `database` reaches them, in the core's words.

use std::{net::SocketAddr, time::Duration};

use api::names::{PORT_PATRONI, PORT_POSTGRES};
use database::{patroni, patroni::Patroni, sql};
use executor_core::{
    lsn::Lsn,
    observed::{Fork, Own, Role, Slot, Sql, Standing, Trouble},
};
use runtime::report::Chain;
use serde_json::Value;
use units::Reason;

use super::{Asked, Endpoint, Listing, Login, Reach};

/// For one question: a member that does not answer holds up the look at its database for this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// For a switchover: Patroni itself waits up to 20 s for its outcome.
const SWITCHOVER: Duration = Duration::from_secs(25);

/// The database that every server has.
const DATABASE: &str = "postgres";

/// Running members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Real {
    patroni: Patroni,
    patient: Patroni,
}

impl Real {
    pub(crate) fn new() -> Self {
        Self {
            patroni: Patroni::new(PATIENCE),
            patient: Patroni::new(SWITCHOVER),
        }
    }
}

impl Reach for Real {
    fn listing<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Listing> {
        Box::pin(async {
            let at = rest(at);
            let (cluster, config, history) = futures::try_join!(
                self.patroni.cluster(at),
                self.patroni.config(at),
                self.patroni.history(at)
            )
            .map_err(|error| refused(&error))?;
            Ok(listing(cluster, &config, history))
        })
    }

    fn own<'a>(&'a self, at: &'a Endpoint) -> Asked<'a, Own> {
        Box::pin(async {
            let member = self
                .patroni
                .member(rest(at))
                .await
                .map_err(|error| refused(&error))?;
            let position = member.furthest().map(|position| Lsn(position.0));
            Ok(Own {
                leads: role(member.role) == Role::Leader,
                state: member.state.to_string(),
                timeline: member.timeline,
                position,
            })
        })
    }

    fn sql<'a>(&'a self, at: &'a Endpoint, login: &'a Login) -> Asked<'a, Sql> {
        Box::pin(async move { ask(at, login).await.map_err(|error| unanswered(&error)) })
    }

    fn configure<'a>(&'a self, at: &'a Endpoint, login: &'a Login, settings: Value) -> Asked<'a, ()> {
        Box::pin(async move {
            let done = self
                .patroni
                .patch_config(rest(at), &credentials(login), &settings)
                .await;
            done.map(drop).map_err(|error| refused(&error))
        })
    }

    fn switchover<'a>(
        &'a self,
        at: &'a Endpoint,
        login: &'a Login,
        leader: &'a str,
        candidate: &'a str,
    ) -> Asked<'a, ()> {
        Box::pin(async move {
            let done = self
                .patient
                .switchover(rest(at), &credentials(login), leader, Some(candidate))
                .await;
            done.map(drop).map_err(|error| refused(&error))
        })
    }

    fn drop_slot<'a>(&'a self, at: &'a Endpoint, login: &'a Login, slot: &'a str) -> Asked<'a, ()> {
        Box::pin(async move {
            let dropped = async {
                let mut session = session(at, login).await?;
                session.drop_slot(slot).await
            };
            dropped.await.map(drop).map_err(|error| unanswered(&error))
        })
    }
}

async fn session(at: &Endpoint, login: &Login) -> Result<sql::Session, sql::Error> {
    let login = sql::Login {
        user: login.user.clone(),
        password: login.password.clone(),
        database: DATABASE.to_owned(),
    };
    sql::Session::connect(SocketAddr::new(at.ip, PORT_POSTGRES), &login, PATIENCE).await
}

async fn ask(at: &Endpoint, login: &Login) -> Result<Sql, sql::Error> {
    let mut session = session(at, login).await?;
    let in_recovery = session.is_in_recovery().await?;
    let position = session.position().await?;
    let receivers = session.replication().await?;
    let slots = session.slots().await?;
    Ok(Sql {
        in_recovery,
        position: Lsn(position.0),
        streaming: receivers
            .into_iter()
            .filter(sql::Streaming::is_streaming)
            .map(|receiver| receiver.application_name)
            .collect(),
        slots: slots
            .into_iter()
            .map(|slot| Slot {
                name: slot.name,
                active: slot.active,
            })
            .collect(),
    })
}

fn rest(at: &Endpoint) -> SocketAddr {
    SocketAddr::new(at.ip, PORT_PATRONI)
}

fn credentials(login: &Login) -> patroni::Credentials {
    patroni::Credentials {
        username: login.user.clone(),
        password: login.password.clone(),
    }
}

fn listing(cluster: patroni::Cluster, config: &Value, history: Vec<patroni::Fork>) -> Listing {
    let standing = |member: patroni::ClusterMember| {
        let standing = Standing {
            role: role(member.role),
            state: member.state.to_string(),
            timeline: member.timeline,
            lag: member.lag,
        };
        (member.name, standing)
    };
    let fork = |fork: patroni::Fork| Fork {
        timeline: fork.timeline,
        at: Lsn(fork.at.0),
        leader: fork.leader,
    };
    // `synchronous_mode` may also be a word: `quorum`.
    let synchronous = match &config["synchronous_mode"] {
        Value::Bool(on) => *on,
        Value::String(word) => !matches!(word.as_str(), "off" | "false" | ""),
        _ => false,
    };
    Listing {
        paused: cluster.paused,
        members: cluster.members.into_iter().map(standing).collect(),
        synchronous,
        member_slots_ttl: config["member_slots_ttl"].as_u64(),
        forks: history.into_iter().map(fork).collect(),
    }
}

fn role(role: patroni::Role) -> Role {
    match role {
        patroni::Role::Leader | patroni::Role::StandbyLeader => Role::Leader,
        patroni::Role::SyncStandby | patroni::Role::QuorumStandby => Role::SyncStandby,
        patroni::Role::Replica => Role::Replica,
        patroni::Role::Other => Role::Other,
    }
}

fn refused(error: &patroni::Error) -> Trouble {
    let reason = match error {
        patroni::Error::Refused { .. } => Reason::Refused,
        patroni::Error::Unauthorised(_) => Reason::CredentialsMissing,
        _ => Reason::PatroniNotAnswering,
    };
    Trouble {
        reason,
        message: Chain(error).to_string(),
    }
}

fn unanswered(error: &sql::Error) -> Trouble {
    let reason = match error {
        sql::Error::Unauthorised(_) => Reason::CredentialsMissing,
        _ => Reason::DatabaseNotAnswering,
    };
    Trouble {
        reason,
        message: Chain(error).to_string(),
    }
}
