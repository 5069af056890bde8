//! What makes the controller look: changed objects, moved volumes, gained leadership, time.

use std::time::Duration;

use api::{highwater::v1alpha1::StorageProfileSpec, join::Set};
use control::watch::{Change, Changes, Key};
use tokio::time::sleep;
use units::Reason;

use super::{Context, Parts, gather::Pods};
use crate::objects::{
    Abandoned, Autoscaler, Claim, Class, Limit, PodClaims, Postgres, Quota, Request, Volume,
};

/// Subscriptions to every kind. Each change goes into the index, and has the autoscalers it is about looked at.
pub(super) struct Follower<'a> {
    context: &'a Context,
    autoscalers: Changes<Autoscaler>,
    postgreses: Changes<Postgres>,
    sets: Changes<Set>,
    requests: Changes<Request>,
    pods: Changes<PodClaims>,
    claims: Changes<Claim>,
    volumes: Changes<Volume>,
    quotas: Changes<Quota>,
    limits: Changes<Limit>,
    classes: Changes<Class>,
    profiles: Changes<StorageProfileSpec>,
    resizers: Changes<Abandoned>,
}

impl<'a> Follower<'a> {
    /// Subscribes, and takes in all that is there: nothing may be decided from a half-filled index.
    pub(super) fn new(context: &'a Context) -> Self {
        let o = &context.parts.objects;
        let mut follower = Self {
            context,
            autoscalers: o.autoscalers.subscribe(),
            postgreses: o.postgreses.subscribe(),
            sets: o.sets.subscribe(),
            requests: o.requests.subscribe(),
            pods: o.pods.subscribe(),
            claims: o.claims.subscribe(),
            volumes: o.volumes.subscribe(),
            quotas: o.quotas.subscribe(),
            limits: o.limits.subscribe(),
            classes: o.classes.subscribe(),
            profiles: o.profiles.subscribe(),
            resizers: o.resizers.subscribe(),
        };
        follower.take_all();
        follower
    }

    /// Follows for ever.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                change = self.autoscalers.next() => self.autoscaler(&change),
                change = self.postgreses.next() => self.postgres(&change),
                change = self.sets.next() => self.set(&change),
                change = self.requests.next() => self.request(&change),
                change = self.pods.next() => self.pod(&change),
                change = self.claims.next() => self.claim(&change),
                change = self.volumes.next() => self.volume(&change),
                change = self.quotas.next() => self.quota(&change),
                change = self.limits.next() => self.limit(&change),
                _ = self.classes.next() => look_at_all(self.context),
                _ = self.profiles.next() => look_at_all(self.context),
                _ = self.resizers.next() => look_at_all(self.context),
            }
            self.take_all();
        }
    }

    /// Takes every change that is there already.
    fn take_all(&mut self) {
        while let Some(change) = self.autoscalers.try_next() {
            self.autoscaler(&change);
        }
        while let Some(change) = self.postgreses.try_next() {
            self.postgres(&change);
        }
        while let Some(change) = self.sets.try_next() {
            self.set(&change);
        }
        while let Some(change) = self.requests.try_next() {
            self.request(&change);
        }
        while let Some(change) = self.pods.try_next() {
            self.pod(&change);
        }
        while let Some(change) = self.claims.try_next() {
            self.claim(&change);
        }
        while let Some(change) = self.volumes.try_next() {
            self.volume(&change);
        }
        while let Some(change) = self.quotas.try_next() {
            self.quota(&change);
        }
        while let Some(change) = self.limits.try_next() {
            self.limit(&change);
        }
        let classes = std::iter::from_fn(|| self.classes.try_next()).count();
        let resizers = std::iter::from_fn(|| self.resizers.try_next()).count();
        if classes + resizers + std::iter::from_fn(|| self.profiles.try_next()).count() > 0 {
            look_at_all(self.context);
        }
    }

    fn autoscaler(&self, change: &Change<Autoscaler>) {
        self.context.wake(change.key.clone());
        let databases = self.context.index().autoscaler(change);
        self.look_at(databases);
    }

    fn postgres(&self, change: &Change<Postgres>) {
        let databases = self.context.index().postgres(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn set(&self, change: &Change<Set>) {
        let databases = self.context.index().set(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn request(&self, change: &Change<Request>) {
        let databases = self.context.index().request(change);
        self.look_at(databases);
    }

    fn pod(&self, change: &Change<PodClaims>) {
        let databases = self.context.index().pod(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn claim(&self, change: &Change<Claim>) {
        if let (Some(gone), None) = (&change.old, &change.new) {
            self.context.memory.forget_claim(&gone.uid);
        }
        let databases = self.context.index().claim(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn volume(&self, change: &Change<Volume>) {
        let volumes = [&change.old, &change.new].into_iter().flatten();
        let mut index = self.context.index();
        let databases = volumes
            .filter_map(|v| index.database_of(&v.claim, &self.context.parts.objects))
            .collect();
        drop(index);
        self.look_at(databases);
    }

    fn quota(&self, change: &Change<Quota>) {
        let databases = self.context.index().quota(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn limit(&self, change: &Change<Limit>) {
        let databases = self.context.index().limit(change, &self.context.parts.objects);
        self.look_at(databases);
    }

    fn look_at(&self, databases: Vec<Key>) {
        databases
            .iter()
            .for_each(|database| look_at(self.context, database));
    }
}

/// What moves so soon after another is taken together: of thousands a second two hundred wake-ups are left.
const TOGETHER: Duration = Duration::from_millis(5);

/// Has the databases of moved volumes looked at, as soon as they have moved or a few milliseconds later.
pub(super) async fn samples(context: &Context) {
    loop {
        let moved = context.parts.store.moved().take().await;
        let together = sleep(TOGETHER);
        for pv in moved {
            let Some(volume) = context.parts.objects.volumes.get(&Key::of_cluster(&pv)) else {
                context.parts.metrics.refused(Reason::UnknownVolume);
                tracing::debug!(pv = &*pv, reason = %Reason::UnknownVolume, "a report names a volume without a claim");
                continue;
            };
            let claim = &volume.claim;
            let autoscalers = {
                let mut index = context.index();
                let database = index.database_of(claim, &context.parts.objects);
                database.map(|database| index.autoscalers(&database))
            };
            let pods = Pods::of(claim, &context.index(), &context.parts.objects);
            count_strangers(context, &pv, &pods);
            autoscalers
                .into_iter()
                .flatten()
                .for_each(|key| context.wake(key));
        }
        together.await;
    }
}

/// Counts that somebody speaks of a volume for a pod that does not mount it, as far as is known here yet.
fn count_strangers(context: &Context, pv: &str, pods: &Pods) {
    let Parts {
        store,
        clock,
        stale_after,
        metrics,
        ..
    } = &context.parts;
    let known = |mount: &_| pods.know(mount);
    if store.stranger(pv, clock.now(), *stale_after, known).is_some() {
        metrics.refused(Reason::UnknownPod);
        tracing::debug!(pv, reason = %Reason::UnknownPod, "a report names a pod that does not mount the claim");
    }
}

/// A new leader has everything to write that the old one left.
pub(super) async fn leadership(context: &Context) {
    let mut changes = context.parts.writes.leader().changes();
    loop {
        if *changes.borrow_and_update() {
            look_at_all(context);
        }
        if changes.changed().await.is_err() {
            // The election has ended, and the process with it.
            std::future::pending::<()>().await;
        }
    }
}

fn look_at(context: &Context, database: &Key) {
    let autoscalers = context.index().autoscalers(database);
    autoscalers.into_iter().for_each(|key| context.wake(key));
}

fn look_at_all(context: &Context) {
    let mut databases = context.parts.objects.autoscalers.all();
    // Objects that were listed one after the other are near each other in memory: it is read in order then.
    databases.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    databases.into_iter().for_each(|(key, _)| context.wake(key));
}
