//! From what is seen to what is done, for one pass over a database. No client required.

use std::{collections::BTreeMap, net::IpAddr};

use api::kubedb::v1::DeletionPolicy;
use kube::ResourceExt;
use provisioner_core::postgres::{
    Claim, Deletion, Finding, Object, Observed, Pod, Policy, Standing, Step, health::first_trouble, plan,
};
use serde_json::Value;
use units::Reason;

use crate::{
    build,
    kinds::Kind,
    memory::Remembered,
    observe::View,
    status, troubles,
    wish::{self, Wish},
};

/// What one pass over a database decided about.
pub(crate) struct Decided {
    pub(crate) wish: Option<Wish>,
    /// What each object should be.
    pub(crate) wanted: BTreeMap<Object, Value>,
    pub(crate) seen: Observed,
    /// The patch for Patroni's settings.
    pub(crate) settings: Option<Value>,
    /// What stands in the way, the gravest first.
    pub(crate) findings: Vec<Finding>,
    pub(crate) step: Step,
}

/// Decides.
pub(crate) fn decide(view: &View, known: &Remembered) -> Decided {
    let mut findings = Vec::new();
    let runs = !view.is_deleted() && !view.is_halted();
    let wish = Wish::of(view).map_err(|finding| findings.push(finding)).ok();
    let wanted = wish.as_ref().filter(|_| runs).and_then(|wish| {
        let all = build::all(view, wish);
        all.map_err(|finding| findings.push(finding)).ok()
    });
    let unknown = wanted.is_none();
    let wanted = wanted.unwrap_or_default();
    let auth = view
        .found
        .get(&Object::Auth)
        .map(|found| wish::login(found, &view.auth()));
    let external = view
        .spec
        .auth_secret
        .as_ref()
        .is_some_and(|secret| secret.externally_managed == Some(true));
    let bad_auth = match auth {
        Some(result) => result.err(),
        None if external => Some(Finding::new(
            Reason::ReferenceNotFound,
            format!(
                "Secret {} does not exist, and spec.authSecret.externallyManaged says that somebody else makes it",
                view.auth()
            ),
        )),
        // The data knows the old password; a new one would lock everybody out.
        None if !view.claims.is_empty() => Some(Finding::new(
            Reason::ReferenceNotFound,
            format!(
                "Secret {} is gone, and there are volumes that know its password: restore it, or create it with keys \
                 username (postgres) and password, and set that password by psql in container postgres",
                view.auth()
            ),
        )),
        None => None,
    };
    let obstacle = runs && (unknown || bad_auth.is_some());
    findings.extend(bad_auth);
    let settings = wish
        .as_ref()
        .filter(|_| runs)
        .and_then(|wish| build::settings_patch(&build::dynamic(wish), known.settings.as_ref()?));
    let settings = settings.filter(|_| answering(view).is_some());
    let seen = observed(view, &wanted, obstacle, settings.is_some());
    findings.extend(not_ours(view, &seen));
    let members = status::members(view, wish.as_ref());
    findings.extend(troubles::of_set(view));
    findings.extend(first_trouble(&members));
    if let Some(wish) = &wish {
        findings.extend(wish.notes.iter().cloned());
    }
    if !runs {
        findings.clear();
    }
    let step = plan(&seen);
    Decided {
        wish,
        wanted,
        seen,
        settings,
        findings,
        step,
    }
}

fn observed(
    view: &View,
    wanted: &BTreeMap<Object, Value>,
    obstacle: bool,
    settings_differ: bool,
) -> Observed {
    let policy = match &view.spec.deletion_policy {
        // As KubeDB: what is halted is kept.
        _ if view.is_halted() => Policy::Halt,
        Some(DeletionPolicy::Halt) => Policy::Halt,
        Some(DeletionPolicy::WipeOut) => Policy::WipeOut,
        Some(DeletionPolicy::Delete) | None => Policy::Delete,
        // A word of another version is not guessed at: nothing is removed.
        Some(DeletionPolicy::DoNotTerminate | DeletionPolicy::Other(_)) => Policy::DoNotTerminate,
    };
    let all = Object::MADE.into_iter().chain(Object::STORE);
    Observed {
        deletion: view.is_deleted().then(|| Deletion {
            policy,
            orphan: view.is_orphaning(),
        }),
        finalizer: view.has_finalizer(),
        halted: view.is_halted(),
        paused: view.pause().is_some(),
        obstacle,
        objects: all
            .map(|object| (object, view.standing(object, wanted.get(&object))))
            .collect(),
        pods: view
            .pods
            .iter()
            .map(|pod| Pod {
                name: pod.name_any(),
                says_primary: troubles::says_primary(pod),
            })
            .collect(),
        claims: view
            .claims
            .iter()
            .map(|claim| Claim {
                name: claim.name_any(),
                ending: claim.metadata.deletion_timestamp.is_some(),
            })
            .collect(),
        leader: view.leader.clone(),
        settings_differ,
    }
}

fn not_ours(view: &View, seen: &Observed) -> Option<Finding> {
    let mut all = Object::MADE.into_iter();
    let object = all.find(|object| seen.standing(*object) == Standing::NotOurs)?;
    let kind = Kind::of(object).word();
    let (name, whose) = (view.name_of(object), view.owner_of(object));
    let remedy = Reason::ObjectNotOurs.remedy();
    let text = format!("{kind} {name} {whose} and is left as it is; {remedy}");
    Some(Finding::new(Reason::ObjectNotOurs, text))
}

/// The address of a member whose Patroni can be asked: the primary's, else that of any that is ready.
pub(crate) fn answering(view: &View) -> Option<IpAddr> {
    let ready = || view.pods.iter().filter(|pod| troubles::is_ready(pod));
    let primary = ready().find(|pod| troubles::says_primary(pod));
    let pod = primary.or_else(|| ready().next())?;
    pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()
}
