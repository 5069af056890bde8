//! IO in: everything a step looks at, read afresh from the API server.
//!
//! Afresh, because a watch may be behind: a step that is decided on what it knew a moment ago would make a pod twice, or
//! delete two where one was to go. The watches only say when to look, and which pods name the set as their controller
//! though they match it no more.

pub(crate) mod claim;
pub(crate) mod pod;
mod read;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use api::{
    ops::v1alpha1::PostgresOpsRequest,
    petset::v1::{Hold as Annotation, PetSet},
};
use control::{watch::Key, whole::Whole};
use futures::future::{try_join, try_join_all};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    apps::v1::ControllerRevision,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{Client, ResourceExt, core::Selector};
use provisioner_core::petset::{
    Hold, Trouble,
    hold::{Asked, Request, judge},
};

use self::read::Reader;
pub(crate) use self::view::View;
use crate::{error::Error, watches::Stores};

/// A claim that has not been bound for this long is asked about, and again after this time while nobody has said why.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// Reads what [`View`] holds.
#[derive(Clone)]
pub(crate) struct Observer {
    reader: Reader,
    stores: Stores,
}

impl Observer {
    pub(crate) fn new(client: Client, stores: Stores) -> Self {
        Self {
            reader: Reader::new(client),
            stores,
        }
    }

    /// Everything about a set; none if there is no such set.
    pub(crate) async fn view(&self, key: &Key, now: Timestamp) -> Result<Option<View>, Error> {
        let namespace = &*key.namespace;
        let Some(set) = self.reader.get::<Whole<PetSet>>(namespace, &key.name).await? else {
            return Ok(None);
        };
        let typed = set.typed()?;
        let selector: Selector = typed.spec.selector.clone().try_into().map_err(Error::Selector)?;
        let (pods, revisions) = try_join(
            self.pods(key, &selector),
            self.reader.list::<ControllerRevision>(namespace, &selector),
        )
        .await?;
        let (claims, hold) = try_join(self.claims(key, &typed, &pods), self.hold(&typed, now)).await?;
        let (troubles, recheck) = self.troubles(&pods, &claims, now).await?;
        Ok(Some(View {
            set,
            typed,
            selector,
            pods,
            claims,
            revisions,
            hold,
            troubles,
            recheck,
            is_fresh: true,
        }))
    }

    /// The pods that match, and those that the set controls.
    async fn pods(&self, key: &Key, selector: &Selector) -> Result<Vec<Pod>, Error> {
        let mut pods: Vec<Pod> = self.reader.list(&key.namespace, selector).await?;
        let found: BTreeSet<String> = pods.iter().map(|pod| pod.name_any()).collect();
        let others = self
            .stores
            .pods_of(key)
            .into_iter()
            .filter(|name| !found.contains(name));
        let others: Vec<String> = others.collect();
        let reads = others.iter().map(|name| self.reader.get(&key.namespace, name));
        pods.extend(try_join_all(reads).await?.into_iter().flatten());
        Ok(pods)
    }

    /// The claims of all ordinals that there are or shall be. Those that we made are found by their labels; others, such
    /// as one that was restored, by name.
    async fn claims(
        &self,
        key: &Key,
        set: &PetSet,
        pods: &[Pod],
    ) -> Result<Vec<PersistentVolumeClaim>, Error> {
        let names = claim::names(set, pods);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let labels: Selector = set
            .spec
            .selector
            .match_labels
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect();
        let mut claims: Vec<PersistentVolumeClaim> = self.reader.list(&key.namespace, &labels).await?;
        claims.retain(|claim| names.contains(&claim.name_any()));
        let found: BTreeSet<String> = claims.iter().map(|claim| claim.name_any()).collect();
        let others = names.difference(&found);
        let reads = others.map(|name| self.reader.get(&key.namespace, name));
        claims.extend(try_join_all(reads).await?.into_iter().flatten());
        Ok(claims)
    }

    /// The hold that the annotation asks for, and whether it counts.
    async fn hold(&self, set: &PetSet, now: Timestamp) -> Result<Hold, Error> {
        let Annotation {
            ordinal,
            request,
            uid,
            expires,
        } = match Annotation::of(set) {
            Ok(None) => return Ok(Hold::None),
            Ok(Some(asked)) => asked,
            Err(error) => return Ok(Hold::Unreadable(error.to_string())),
        };
        let namespace = set.namespace().unwrap_or_default();
        let found: Option<Whole<PostgresOpsRequest>> = self.reader.get(&namespace, &request).await?;
        let found = found.filter(|found| found.uid().as_deref() == Some(uid.as_str()));
        let phase = |found: Whole<PostgresOpsRequest>| {
            let phase = found.at("/status/phase").and_then(|phase| phase.as_str())?;
            Some(api::ops::v1alpha1::Phase::from(phase))
        };
        let state = match found {
            None => Request::Gone,
            Some(found) if phase(found.clone()).is_some_and(|phase| phase.is_final()) => Request::Finished,
            Some(_) => Request::Open,
        };
        let asked = Asked {
            ordinal,
            request,
            uid,
            expires,
        };
        Ok(judge(asked, state, now))
    }

    /// Why claims that a pod waits for are not bound, by claim; and when to ask again where nothing was said.
    async fn troubles(
        &self,
        pods: &[Pod],
        claims: &[PersistentVolumeClaim],
        now: Timestamp,
    ) -> Result<(BTreeMap<String, Trouble>, Option<Timestamp>), Error> {
        let waited: BTreeSet<String> = pods
            .iter()
            .filter(|pod| !pod::is_ready(pod))
            .flat_map(pod::claims)
            .collect();
        let waits =
            |claim: &&PersistentVolumeClaim| claim::is_pending(claim) && waited.contains(&claim.name_any());
        let mut troubles = BTreeMap::new();
        let mut recheck: Option<Timestamp> = None;
        for claim in claims.iter().filter(waits) {
            let mut ask_at = claim::created(claim)
                .unwrap_or(now)
                .saturating_add(PATIENCE)
                .unwrap_or(now);
            if ask_at <= now {
                if let Some(trouble) = claim::trouble(claim, self.reader.events(claim).await?) {
                    troubles.insert(claim.name_any(), trouble);
                    continue;
                }
                ask_at = now.saturating_add(PATIENCE).unwrap_or(now);
            }
            recheck = recheck.into_iter().chain([ask_at]).min();
        }
        Ok((troubles, recheck))
    }
}
