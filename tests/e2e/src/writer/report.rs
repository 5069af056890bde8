//! What the application saw, and what became of its rows.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    net::IpAddr,
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use futures::future::{Either, select};
use tokio_postgres::NoTls;

use super::{PACE, config};
use crate::{managed::Managed, wait::PATIENCE};

/// What the application saw.
#[derive(Debug)]
pub struct Report {
    /// The file with the acknowledged ids, one a line.
    pub acknowledged: PathBuf,
    /// How many ids were acknowledged.
    pub rows: u64,
    /// The longest time between two acknowledgements.
    pub longest_gap: Duration,
    /// How often a connection or an insert failed.
    pub failures: u64,
}

impl Report {
    /// Prints the longest time without an acknowledgement, which must not exceed `bound`.
    ///
    /// # Errors
    /// When it does.
    pub fn gap_at_most(&self, what: &str, bound: Duration) -> anyhow::Result<()> {
        let gap = self.longest_gap;
        println!("{what}: {:.2} s without writes", gap.as_secs_f64());
        ensure!(
            gap <= bound,
            "{what}: {gap:?} without writes, more than {bound:?}"
        );
        Ok(())
    }

    /// Acknowledged ids that this member does not have, once it has caught up as far as it will.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn missing_on(&self, db: &Managed, member: IpAddr) -> anyhow::Result<BTreeSet<i64>> {
        let kept = BufReader::new(File::open(&self.acknowledged)?);
        let mut missing: BTreeSet<i64> = kept
            .lines()
            .map(|line| Ok(line?.parse()?))
            .collect::<anyhow::Result<_>>()?;
        let (client, connection) = config(member, &db.password().await?).connect(NoTls).await?;
        let (connection, read) = (
            pin!(connection),
            pin!(client.query("select id from written", &[])),
        );
        let rows = match select(read, connection).await {
            Either::Left((rows, _)) => rows?,
            Either::Right(_) => bail!("{member} closed the connection"),
        };
        for row in rows {
            missing.remove(&row.get::<_, i64>(0));
        }
        Ok(missing)
    }

    /// After an unplanned failover of an asynchronous database: what was acknowledged and is gone is counted, and is at most
    /// what a standby may be behind and still take over (`maximum_lag_on_failover`, 1 MiB; an insert writes more than 100
    /// bytes of WAL).
    ///
    /// # Errors
    /// When more is lost, or the primary cannot be asked.
    pub async fn little_is_lost(&self, db: &Managed) -> anyhow::Result<()> {
        let lost = self.missing_on(db, db.primary().await?.address).await?;
        let Self { rows, failures, .. } = self;
        println!(
            "{rows} rows acknowledged, {} lost, {failures} failures seen",
            lost.len()
        );
        ensure!(lost.len() < (1 << 20) / 100, "{} rows lost", lost.len());
        Ok(())
    }

    /// Fails if an acknowledged id is missing on the primary or, after they had time to replay it, on a standby.
    ///
    /// # Errors
    /// Which ids, and where.
    pub async fn nothing_is_lost(&self, db: &Managed) -> anyhow::Result<()> {
        for member in db.members().await? {
            let whole = async {
                loop {
                    let missing = self.missing_on(db, member.address).await;
                    if matches!(&missing, Ok(missing) if missing.is_empty()) {
                        return anyhow::Ok(());
                    }
                    // A standby replays in its own time; the primary has all or never will.
                    ensure!(
                        member.role != "primary" || missing.is_err(),
                        "{} lost {:?}",
                        member.pod,
                        missing
                    );
                    tokio::time::sleep(PACE * 20).await;
                }
            };
            tokio::time::timeout(PATIENCE, whole)
                .await
                .with_context(|| format!("{} ({}) never had all rows", member.pod, member.role))??;
        }
        Ok(())
    }
}
