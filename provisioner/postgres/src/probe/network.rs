//! The probe of production: SQL and Patroni's REST interface, by the members' addresses.

use std::{
    error::Error as _,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use api::names::{PORT_PATRONI, PORT_POSTGRES};
use database::{
    patroni::{self, Credentials, Patroni},
    sql::{self, Session},
};
use futures::{FutureExt, future::BoxFuture};
use provisioner_core::postgres::health::{Kept, Primary};
use serde_json::Value;
use units::Bytes;

use super::{Error, Login, Probe};

/// Time for a question to Patroni: it answers from memory.
const PATRONI_PATIENCE: Duration = Duration::from_secs(3);

/// Asks over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Probe for Network {
    fn primary(
        &self,
        at: IpAddr,
        login: Login,
        write: bool,
        patience: Duration,
    ) -> BoxFuture<'_, Result<Primary, Error>> {
        async move {
            let Login { user, password } = login;
            let login = sql::Login {
                user,
                password,
                database: "postgres".to_owned(),
            };
            ask(SocketAddr::new(at, PORT_POSTGRES), &login, write, patience)
                .await
                .map_err(|error| Error::from(&error))
        }
        .boxed()
    }

    fn settings(&self, at: IpAddr) -> BoxFuture<'_, Result<Value, Error>> {
        async move {
            let patroni = Patroni::new(PATRONI_PATIENCE);
            let answer = patroni.config(SocketAddr::new(at, PORT_PATRONI)).await;
            answer.map_err(|error| Error::from(&error))
        }
        .boxed()
    }

    fn change_settings(&self, at: IpAddr, login: Login, patch: Value) -> BoxFuture<'_, Result<Value, Error>> {
        async move {
            let Login { user, password } = login;
            let credentials = Credentials {
                username: user,
                password,
            };
            let patroni = Patroni::new(PATRONI_PATIENCE);
            let at = SocketAddr::new(at, PORT_PATRONI);
            let answer = patroni.patch_config(at, &credentials, &patch).await;
            answer.map_err(|error| Error::from(&error))
        }
        .boxed()
    }
}

async fn ask(
    at: SocketAddr,
    login: &sql::Login,
    write: bool,
    patience: Duration,
) -> Result<Primary, sql::Error> {
    let mut session = Session::connect(at, login, patience).await?;
    if write {
        session.write_check().await?;
    }
    let receivers = session.replication().await?;
    if write && receivers.iter().any(sql::Streaming::is_starting) {
        session.end_segment_for_waiting().await?;
    }
    let slots = session.slots().await?;
    let archiver = session.archiver().await?;
    let mut streaming: Vec<_> = receivers
        .into_iter()
        .filter(sql::Streaming::is_streaming)
        .map(|standby| standby.application_name)
        .collect();
    streaming.sort();
    let inactive = slots
        .into_iter()
        .filter(|slot| !slot.active && slot.restart_lsn.is_some());
    let mut kept: Vec<_> = inactive
        .map(|slot| Kept::Slot {
            name: slot.name,
            bytes: Bytes::new(slot.retained_bytes),
        })
        .collect();
    if archiver.failing_since().is_some() {
        kept.push(Kept::Archiver {
            file: archiver.last_failed_wal.clone().unwrap_or_default(),
            bytes: Bytes::new(archiver.waiting_bytes),
        });
    }
    Ok(Primary { streaming, kept })
}

impl From<&sql::Error> for Error {
    fn from(error: &sql::Error) -> Self {
        if error.is_disk_full() {
            Error::Full(error.to_string())
        } else {
            Error::Failed(chain(error, error.source()))
        }
    }
}

impl From<&patroni::Error> for Error {
    fn from(error: &patroni::Error) -> Self {
        Error::Failed(chain(error, error.source()))
    }
}

fn chain(error: &dyn std::fmt::Display, source: Option<&(dyn std::error::Error + 'static)>) -> String {
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
