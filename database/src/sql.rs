//! SQL sessions from outside a pod: health, receivers, slots, positions.

mod error;
mod rows;

use std::{future::Future, net::SocketAddr, pin::pin, time::Duration};

use tokio::{net::TcpStream, time};
use tokio_postgres::{Client, Config, Connection, NoTls, Row, tls::NoTlsStream, types::ToSql};

pub use error::Error;
pub use rows::{Archiver, Slot, Streaming};

use crate::Lsn;

/// Who asks.
#[derive(Clone)]
pub struct Login {
    /// Role.
    pub user: String,
    /// Its password (SCRAM).
    pub password: String,
    /// Database.
    pub database: String,
}

/// One connection. It lives only while a call is in progress: nothing reads it between calls, and dropping the session closes it.
/// After an error other than [`Error::Refused`] it is of no more use.
pub struct Session {
    client: Client,
    connection: Option<Wire>,
    addr: SocketAddr,
    timeout: Duration,
}

type Wire = Connection<TcpStream, NoTlsStream>;

/// Writes what a commit writes, and 300 KiB of a temporary file, which needs room where the data lie; leaves nothing behind.
const WRITE_CHECK: &str = "SET LOCAL work_mem = '64kB'; \
    SELECT count(*) FROM generate_series(1, 20000); \
    SELECT pg_logical_emit_message(true, 'highwater', 'write check')";

impl Session {
    /// Connects; `timeout` bounds this and each later call. The server gives up a statement by itself at twice that time, so that it
    /// is always the caller's time that decides, and no statement outlives its caller for long.
    pub async fn connect(addr: SocketAddr, login: &Login, timeout: Duration) -> Result<Self, Error> {
        let Login {
            user,
            password,
            database,
        } = login;
        let statement_timeout = timeout.as_millis().saturating_mul(2);
        let mut config = Config::new();
        config
            .user(user)
            .password(password)
            .dbname(database)
            .application_name("highwater")
            .options(format!("-c statement_timeout={statement_timeout}"));
        let opened = async {
            let stream = TcpStream::connect(addr)
                .await
                .map_err(|error| Error::Unreachable(addr, error.into()))?;
            config
                .connect_raw(stream, NoTls)
                .await
                .map_err(|error| Error::from_server(addr, error))
        };
        let (client, connection) = time::timeout(timeout, opened)
            .await
            .map_err(|_| Error::TimedOut(addr, timeout))??;
        Ok(Self {
            client,
            connection: Some(connection),
            addr,
            timeout,
        })
    }

    /// Whether this is a standby.
    pub async fn is_in_recovery(&mut self) -> Result<bool, Error> {
        let row = self.one("SELECT pg_is_in_recovery()", &[]).await?;
        rows::cell(self.addr, &row, 0)
    }

    /// The current position: written on a primary, replayed on a standby (0/0 when that has replayed nothing).
    pub async fn position(&mut self) -> Result<Lsn, Error> {
        let row = self.one(rows::POSITION, &[]).await?;
        rows::position(self.addr, &row, 0)
    }

    /// Where the last completed checkpoint lies, by the control file.
    pub async fn checkpoint(&mut self) -> Result<Lsn, Error> {
        let row = self
            .one("SELECT checkpoint_lsn FROM pg_control_checkpoint()", &[])
            .await?;
        rows::position(self.addr, &row, 0)
    }

    /// Who receives from this member (`pg_stat_replication`), base backups included (`state` is `backup`).
    pub async fn replication(&mut self) -> Result<Vec<Streaming>, Error> {
        let addr = self.addr;
        let rows = self.many(rows::REPLICATION, &[]).await?;
        rows.iter().map(|row| rows::streaming(addr, row)).collect()
    }

    /// The replication slots of this member.
    pub async fn slots(&mut self) -> Result<Vec<Slot>, Error> {
        let addr = self.addr;
        let rows = self.many(rows::SLOTS, &[]).await?;
        rows.iter().map(|row| rows::slot(addr, row)).collect()
    }

    /// Drops a slot; whether there was one. One in use is refused (55006).
    pub async fn drop_slot(&mut self, name: &str) -> Result<bool, Error> {
        let dropped = self.many(rows::DROP_SLOT, &[&name]).await?;
        Ok(!dropped.is_empty())
    }

    /// The state of archiving.
    pub async fn archiver(&mut self) -> Result<Archiver, Error> {
        let row = self.one(rows::ARCHIVER, &[]).await?;
        rows::archiver(self.addr, &row)
    }

    /// Whether a transaction can be committed: needs a primary, room for its log and for data, and in synchronous mode the standby's
    /// answer.
    pub async fn write_check(&mut self) -> Result<(), Error> {
        self.drive(async |client| client.batch_execute(WRITE_CHECK).await)
            .await
    }

    /// Ends the segment of the log that is being written if a member waits for one that lies ahead; whether one does.
    ///
    /// A primary that dies for want of room leaves half a record, up to the end of a segment. A member that has received that half
    /// asks whoever leads next for the segment after it, and only what comes then tells it that the other half was never written.
    /// With nothing to write it would wait for hours. Asked again while it waits, at most twenty seconds of each minute: a member
    /// that never gets what it waits for must not fill an archive. PostgreSQL 15.20 waits so; 15.18 is refused every five seconds
    /// and is not listed, so that nothing is done for it.
    pub async fn end_segment_for_waiting(&mut self) -> Result<bool, Error> {
        let ended = self.many(rows::END_SEGMENT, &[]).await?;
        Ok(!ended.is_empty())
    }

    async fn one(&mut self, sql: &str, arguments: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
        self.drive(async |client| client.query_one(sql, arguments).await)
            .await
    }

    async fn many(&mut self, sql: &str, arguments: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        self.drive(async |client| client.query(sql, arguments).await)
            .await
    }

    /// Asks, and drives the connection until the answer is there.
    async fn drive<T>(
        &mut self,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        let (addr, timeout) = (self.addr, self.timeout);
        // Taken, and put back only when it is known to be good: a call that is dropped half-way leaves an answer in it.
        let connection = self.connection.take().ok_or(Error::Closed(addr))?;
        let driven = alongside(ask(&self.client), connection);
        let (answer, open) = time::timeout(timeout, driven)
            .await
            .map_err(|_| Error::TimedOut(addr, timeout))?;
        if !matches!(&answer, Err(error) if error.as_db_error().is_none()) {
            self.connection = open;
        }
        answer.map_err(|error| Error::from_server(addr, error))
    }
}

/// The answer, and the connection when it is still open.
async fn alongside<T>(answer: impl Future<Output = T>, mut connection: Wire) -> (T, Option<Wire>) {
    let mut answer = pin!(answer);
    tokio::select! {
        answer = &mut answer => return (answer, Some(connection)),
        _ = &mut connection => {}
    }
    // It ended first. What it brought is still to be read; for the rest the client waits until the connection is gone.
    drop(connection);
    (answer.await, None)
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            user,
            database,
            password: _,
        } = self;
        f.debug_struct("Login")
            .field("user", user)
            .field("database", database)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}
