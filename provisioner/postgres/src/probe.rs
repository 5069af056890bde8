//! Asking a database from outside its pods: the seam between this controller and the network.

mod network;

use std::{net::IpAddr, time::Duration};

use futures::future::BoxFuture;
use provisioner_core::postgres::health::Primary;
use serde_json::Value;
use thiserror::Error;

pub use self::network::Network;

/// Name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Not the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A question that got no answer, or a bad one.
#[derive(Debug, Error)]
pub enum Error {
    /// The volume has no room left.
    #[error("its volume is full: {0}")]
    Full(String),
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
}

/// How a database is asked.
pub trait Probe: Send + Sync + 'static {
    /// Whether the primary at this address works, and what it says of the others. With `write`, something is written.
    fn primary(
        &self,
        at: IpAddr,
        login: Login,
        write: bool,
        patience: Duration,
    ) -> BoxFuture<'_, Result<Primary, Error>>;

    /// Patroni's dynamic settings, as the member at this address has them.
    fn settings(&self, at: IpAddr) -> BoxFuture<'_, Result<Value, Error>>;

    /// Merges `patch` into Patroni's dynamic settings; gives them as they are then.
    fn change_settings(&self, at: IpAddr, login: Login, patch: Value) -> BoxFuture<'_, Result<Value, Error>>;
}
