//! Asking every database, at its own period, whether it works: from outside its pods, through the primary's address.
//!
//! An answer is remembered ([`crate::memory`]); only one that changes what is said of the database makes a look.

use std::sync::Arc;

use control::{
    leader::Leader,
    queue::{Again, Queue},
    watch::Key,
};
use provisioner_core::postgres::{
    Finding,
    health::{Answer, Primary},
};
use tokio::time::timeout;
use units::Reason;

use crate::{
    memory::Memory,
    metrics::Metrics,
    probe::{Error, Probe},
    watches::{SeenPod, SeenPostgres, Stores},
};

/// Ordinals among which the primary is looked for.
const MOST_MEMBERS: u32 = 100;

/// Asks databases.
pub(crate) struct Checker {
    pub(crate) stores: Stores,
    pub(crate) leader: Leader,
    pub(crate) probe: Arc<dyn Probe>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) looks: Queue<Key>,
    pub(crate) metrics: Metrics,
}

impl Checker {
    /// Asks one database; says when to ask again.
    pub(crate) async fn check(&self, database: Key) -> Again {
        let Some(postgres) = self.stores.postgreses.get(&database) else {
            return Again::OnChange;
        };
        if !postgres.runs || !self.leader.is_leader_now() {
            return Again::OnChange;
        }
        let known = self.memory.of(&database, &postgres.uid);
        let primary = self.primary(&database);
        let result = match (&known.login, &primary) {
            // Not looked at yet.
            (None, _) => return Again::After(postgres.period),
            (_, None) => Err(Error::Failed("no pod has the role of primary".to_owned())),
            (Some(login), Some(pod)) => self.ask(&postgres, pod, login.clone(), &database).await,
        };
        self.metrics.checked(result.is_ok());
        self.remember(&database, &postgres, result);
        Again::After(postgres.period)
    }

    fn primary(&self, database: &Key) -> Option<Arc<SeenPod>> {
        let mut pods = (0..MOST_MEMBERS).filter_map(|ordinal| {
            let name = format!("{}-{ordinal}", database.name);
            self.stores.pods.get(&database.beside(&name))
        });
        pods.find(|pod| pod.primary && *pod.database == *database.name)
    }

    async fn ask(
        &self,
        postgres: &SeenPostgres,
        pod: &SeenPod,
        login: crate::probe::Login,
        database: &Key,
    ) -> Result<Primary, Error> {
        let Some(address) = pod.address else {
            return Err(Error::Failed("the primary's pod has no address".to_owned()));
        };
        let patience = postgres.patience;
        let before = self.memory.of(database, &postgres.uid).changes;
        if let Ok(Ok(settings)) = timeout(patience, self.probe.settings(address)).await {
            let changed = self.memory.change(database, &postgres.uid, |known| {
                let changed = known.changes == before && known.settings.as_ref() != Some(&settings);
                if changed {
                    known.settings = Some(settings);
                }
                changed
            });
            if changed {
                self.looks.add(database.clone());
            }
        }
        let asked = self.probe.primary(address, login, postgres.writes, patience);
        timeout(patience, asked).await.unwrap_or_else(|_| {
            Err(Error::Failed(format!(
                "no answer within {} s",
                patience.as_secs()
            )))
        })
    }

    fn remember(&self, database: &Key, postgres: &SeenPostgres, result: Result<Primary, Error>) {
        let changed = self.memory.change(database, &postgres.uid, |known| {
            let answer = match result {
                Ok(mut primary) => {
                    known.failures = 0;
                    // One that is missing once has just reconnected.
                    let listed = primary.streaming.clone();
                    let before = std::mem::replace(&mut known.listed, listed);
                    primary.streaming.extend(before);
                    primary.streaming.sort();
                    primary.streaming.dedup();
                    Answer::Works(primary)
                }
                Err(error) => {
                    known.failures = known.failures.saturating_add(1);
                    if known.failures < postgres.threshold {
                        return false;
                    }
                    Answer::Fails(finding(&error))
                }
            };
            let changed = known.answer != answer;
            known.answer = answer;
            changed
        });
        if changed {
            self.looks.add(database.clone());
        }
    }
}

fn finding(error: &Error) -> Finding {
    match error {
        Error::Full(_) => Finding::new(
            Reason::VolumeFull,
            format!(
                "the primary cannot write, {error}; {}",
                Reason::VolumeFull.remedy()
            ),
        ),
        Error::Failed(_) => Finding::new(Reason::DatabaseNotAcceptingConnectionRequest, error.to_string()),
    }
}
