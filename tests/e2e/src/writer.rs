//! An application that never stops writing: it inserts one id after the other through the database's Service, and keeps each
//! acknowledged id in a file of its own, which no disk of the database can lose. Afterwards every id is looked for on the
//! members.

use std::{
    fs::File,
    io::Write,
    net::IpAddr,
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures::future::{Either, select};
use tokio::sync::watch;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;

mod report;

pub use self::report::Report;
use crate::{managed::Managed, wait::PATIENCE};

/// Pause between two inserts: gaps are known to this much.
const PACE: Duration = Duration::from_millis(10);
/// An insert without an answer for this long is given up; its connection too. A client that waits longer would not notice
/// that its server is gone.
const GIVE_UP: Duration = Duration::from_millis(1000);

/// How far the application is, as it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many ids were acknowledged.
    pub rows: u64,
    /// How often a connection or an insert failed.
    pub failures: u64,
}

/// What the work beside the application may wait for.
pub struct Watched(watch::Receiver<Progress>);

impl Watched {
    /// Waits until a write has failed after now, and a hundred have worked since.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub async fn interruption(&mut self) -> anyhow::Result<()> {
        let before = *self.0.borrow();
        let failed = self
            .until("a write failed", |now| now.failures > before.failures)
            .await?;
        self.until("writes work again", |now| now.rows > failed.rows + 100)
            .await
            .map(drop)
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(Progress) -> bool) -> anyhow::Result<Progress> {
        let waited = tokio::time::timeout(PATIENCE, self.0.wait_for(|now| wanted(*now))).await;
        let seen = waited.with_context(|| format!("the writer never saw that {what}"))?;
        Ok(*seen.context("the writer has ended")?)
    }
}

struct Writer {
    config: Config,
    file: File,
    next: i64,
    report: Report,
    last: Instant,
    progress: watch::Sender<Progress>,
}

/// Writes while `work` goes on; gives what it gave, and what was seen. Afterwards writing must go on: the last id is one
/// that was sent after `work` had ended.
///
/// # Errors
/// Those of `work`; when the table cannot be made, or nothing can be written afterwards.
pub async fn during<T>(
    db: &Managed,
    work: impl AsyncFnOnce(Watched) -> anyhow::Result<T>,
) -> anyhow::Result<(T, Report)> {
    let mut writer = Writer::new(db).await?;
    let watched = Watched(writer.progress.subscribe());
    let stop = CancellationToken::new();
    let done = {
        let writing = pin!(writer.write(&stop));
        let work = pin!(work(watched));
        match select(writing, work).await {
            Either::Left((ended, _)) => {
                ended?;
                bail!("the writer ended by itself");
            }
            Either::Right((done, writing)) => {
                stop.cancel();
                tokio::time::timeout(PATIENCE, writing)
                    .await
                    .context("nothing could be written any more")??;
                done?
            }
        }
    };
    Ok((done, writer.report))
}

impl Writer {
    async fn new(db: &Managed) -> anyhow::Result<Writer> {
        let mut config = config(db.service().await?, &db.password().await?);
        config.connect_timeout(GIVE_UP);
        let acknowledged =
            std::env::temp_dir().join(format!("highwater-writer-{}-{}", db.objects.namespace(), db.name));
        let file =
            File::create(&acknowledged).with_context(|| format!("create {}", acknowledged.display()))?;
        let mut writer = Writer {
            config,
            file,
            next: 1,
            report: Report {
                acknowledged,
                rows: 0,
                longest_gap: Duration::ZERO,
                failures: 0,
            },
            last: Instant::now(),
            progress: watch::Sender::new(Progress::default()),
        };
        let made = "create table if not exists written (id bigint primary key)";
        let table = async {
            while !matches!(
                writer.once(async |client| client.batch_execute(made).await).await,
                Ok(Ok(()))
            ) {
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::time::timeout(PATIENCE, table)
            .await
            .context("the table could not be made")?;
        // An earlier writer of this database may have left rows.
        let last = "select coalesce(max(id), 0) from written";
        let last = writer
            .once(async |client| client.query_one(last, &[]).await)
            .await??;
        writer.next = last.get::<_, i64>(0) + 1;
        writer.last = Instant::now();
        Ok(writer)
    }

    /// Runs one thing on a connection of its own.
    async fn once<T>(&self, run: impl AsyncFnOnce(&Client) -> T) -> anyhow::Result<T> {
        let (client, connection) = self.config.connect(NoTls).await?;
        let (connection, run) = (pin!(connection), pin!(run(&client)));
        match select(run, connection).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right((ended, _)) => {
                ended?;
                bail!("the connection was closed")
            }
        }
    }

    /// Until told to stop, and then until one more id is acknowledged.
    async fn write(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        loop {
            let config = self.config.clone();
            let Ok(Ok((client, connection))) = tokio::time::timeout(GIVE_UP, config.connect(NoTls)).await
            else {
                self.fail();
                tokio::time::sleep(PACE).await;
                continue;
            };
            let ended = {
                let (inserting, connection) = (pin!(self.insert(&client, stop)), pin!(connection));
                match select(inserting, connection).await {
                    Either::Left((ended, _)) => ended?,
                    Either::Right(_) => false,
                }
            };
            if ended {
                return Ok(());
            }
            self.fail();
        }
    }

    fn fail(&mut self) {
        self.report.failures += 1;
        self.progress.send_modify(|seen| seen.failures += 1);
    }

    /// Inserts until one fails (`false`) or it may stop (`true`).
    async fn insert(&mut self, client: &Client, stop: &CancellationToken) -> anyhow::Result<bool> {
        loop {
            let last_one = stop.is_cancelled();
            let id = self.next;
            self.next += 1; // an id whose answer is unknown is never used again
            let sent = async { client.execute("insert into written values ($1)", &[&id]).await };
            match tokio::time::timeout(GIVE_UP, sent).await {
                Ok(Ok(_)) => self.acknowledge(id)?,
                Ok(Err(_)) | Err(_) => return Ok(false),
            }
            if last_one {
                return Ok(true);
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn acknowledge(&mut self, id: i64) -> anyhow::Result<()> {
        writeln!(self.file, "{id}").context("keep an acknowledged id")?;
        let gap = self.last.elapsed();
        self.last = Instant::now();
        self.report.rows += 1;
        self.progress.send_modify(|seen| seen.rows += 1);
        self.report.longest_gap = self.report.longest_gap.max(gap);
        Ok(())
    }
}

fn config(address: IpAddr, password: &str) -> Config {
    let mut config = Config::new();
    config
        .host(address.to_string())
        .user("postgres")
        .dbname("postgres")
        .password(password);
    config
}
