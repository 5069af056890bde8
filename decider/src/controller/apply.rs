//! Apply: what was decided, written. Every write is the leader's, names the uid it means, and can be repeated.

use std::time::Duration;

use api::{
    autoscaling::v1alpha1::{ExpansionMode, LastDecision, PostgresAutoscaler},
    conditions::time_text,
    names::{ANNOTATION_DECIDED, database_labels},
    ops::v1alpha1::{
        self as ops, Decided, PostgresOpsRequest, PostgresOpsRequestSpec, RequestType, VolumeExpansion,
    },
};
use control::{watch::Key, write::Error};
use decider_core::{Apply, Decision, Record, VolumeRecord};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Api, Resource};
use runtime::report::Chain;
use serde_json::json;
use units::{Bytes, Reason};

use super::{
    CATCH_UP, Context, Gathered, Outcome,
    beside::{own, reference, remember},
    prune, status,
};
use crate::{
    name::request_name,
    objects::{ATTEMPT, Autoscaler, BASE, Request, SEEN},
};

/// What became of the wish to grow.
pub(super) enum Growth {
    /// There was none.
    Unwanted,
    /// The request is there.
    Requested,
    /// The API server refuses it, in these words.
    Refused(String),
}

/// A growth that was decided.
struct Wish<'a> {
    base: Bytes,
    to: Bytes,
    supersedes: Option<&'a str>,
    record: &'a Record,
}

/// Performs a decision: the request first, then what tells of it. Answers after what time the rest of it is to be
/// written, if some is held back.
pub(super) async fn perform(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Option<Duration>, Error> {
    // Of one that is being deleted, the requests would go with it.
    let requested = match outcome.wish().filter(|_| !autoscaler.deleting) {
        Some(wish) => Some(create(context, key, autoscaler, gathered, &wish).await),
        None => None,
    };
    let (growth, failure) = match requested {
        None => (Growth::Unwanted, None),
        Some(Ok(())) => (Growth::Requested, None),
        Some(Err(error)) if error.is_not_leading() => return Err(error),
        Some(Err(error)) => (Growth::Refused(Chain(&error).to_string()), Some(error)),
    };
    // A status made from an older object would be refused, and what else is to be written is asked anew with the next one.
    if context.memory.lags(key, &autoscaler.resource_version, now) {
        return failure.map_or(Ok(Some(CATCH_UP)), Err);
    }
    // A status that is refused must not keep the rest from being done.
    let told = status::write(context, key, autoscaler, gathered, outcome, &growth, now).await;
    remember(context, key, autoscaler, gathered, now).await?;
    own(context, key, autoscaler, gathered, now).await?;
    prune::prune(context, key, gathered).await?;
    let held_back = told?;
    failure.map_or(Ok(held_back), Err)
}

/// Creates the request. Another replica's, or our own of a moment ago, has the same name and is as good, if it
/// is this autoscaler's and has not ended.
async fn create(
    context: &Context,
    key: &Key,
    autoscaler: &Autoscaler,
    gathered: &Gathered,
    wish: &Wish<'_>,
) -> Result<(), Error> {
    let record = wish.record;
    let request = request(key, autoscaler, gathered, wish);
    let name = request.metadata.name.clone().unwrap_or_default();
    let about = reference(key, autoscaler);
    match context.parts.writes.create(&request).await {
        Ok(_) => {
            let now = context.parts.clock.now();
            context.memory.created(&gathered.database, &name, now);
            let age = fired(record).filter_map(|v| v.sample_age).min();
            context.parts.metrics.created(since_crossing(record, now), age);
            tracing::info!(autoscaler = %key, request = name, reason = %record.reason, message = record.message(), "created");
            let note = format!("PostgresOpsRequest {name}: {}", record.text);
            context
                .parts
                .events
                .normal(&about, Reason::CreateOpsRequest, "CreateOpsRequest", note);
        }
        Err(error)
            if error.is_already_exists() && is_ours_and_open(context, key, autoscaler, &name).await =>
        {
            context
                .memory
                .created(&gathered.database, &name, context.parts.clock.now());
            tracing::info!(autoscaler = %key, request = name, "is there already");
        }
        Err(error) => {
            context.parts.metrics.create_failed(Reason::CreateFailed);
            if !error.is_not_leading() {
                let note = format!("PostgresOpsRequest {name}: {}", Chain(&error));
                context
                    .parts
                    .events
                    .warning(&about, Reason::CreateFailed, "CreateOpsRequest", note);
            }
            return Err(error);
        }
    }
    context
        .memory
        .tell(key, last_decision(wish, name, context.parts.clock.now()));
    Ok(())
}

/// What the status is to say of it.
fn last_decision(wish: &Wish<'_>, request: String, now: Timestamp) -> LastDecision {
    LastDecision {
        reason: Some(wish.record.reason.as_str().to_owned()),
        message: Some(wish.record.message()),
        at: Some(time_text(now)),
        from: Some(wish.base.to_string()),
        to: Some(wish.to.to_string()),
        request: Some(request),
    }
}

/// Asks the API server, because the watch may not have shown it yet.
async fn is_ours_and_open(context: &Context, key: &Key, autoscaler: &Autoscaler, name: &str) -> bool {
    let api: Api<PostgresOpsRequest> = Api::namespaced(context.parts.client.clone(), &key.namespace);
    match api.get_opt(name).await {
        Ok(found) => found
            .and_then(Request::of)
            .is_some_and(|r| r.autoscaler == autoscaler.uid && r.is_open()),
        Err(error) => {
            tracing::warn!(request = name, error = %Chain(&error), "cannot be read");
            false
        }
    }
}

/// The request as KubeDB's autoscaler would make it, with what we need to know of it later.
fn request(key: &Key, autoscaler: &Autoscaler, gathered: &Gathered, wish: &Wish<'_>) -> PostgresOpsRequest {
    let Wish {
        base, to, supersedes, ..
    } = *wish;
    let database = &autoscaler.database;
    let options = autoscaler.options.as_deref().cloned().unwrap_or_default();
    let mode = autoscaler.mode.clone().unwrap_or(ExpansionMode::Online);
    let apply = match (&mode, gathered.policy.apply) {
        // Waiting for Ready on a full disk waits for ever.
        _ if supersedes.is_some() => Some(ops::Apply::Always),
        (ExpansionMode::Online, Apply::Always) => Some(ops::Apply::Always),
        (_, Apply::IfReady) => Some(ops::Apply::IfReady),
        (_, Apply::Always) => options.apply,
    };
    let annotations = [
        (BASE, base.to_string()),
        (ATTEMPT, gathered.attempt.to_string()),
        (SEEN, json!(gathered.before).to_string()),
        (ANNOTATION_DECIDED, json!(decided(wish.record)).to_string()),
    ];
    PostgresOpsRequest {
        metadata: ObjectMeta {
            name: Some(request_name(
                database,
                &autoscaler.uid.to_string(),
                &gathered.database_uid,
                base,
                gathered.attempt,
            )),
            namespace: Some(key.namespace.to_string()),
            labels: Some(database_labels(database)),
            annotations: Some(annotations.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            owner_references: Some(vec![OwnerReference {
                api_version: PostgresAutoscaler::api_version(&()).into_owned(),
                kind: PostgresAutoscaler::kind(&()).into_owned(),
                name: key.name.to_string(),
                uid: autoscaler.uid.to_string(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]),
            ..ObjectMeta::default()
        },
        spec: PostgresOpsRequestSpec {
            database_ref: (&**database).into(),
            type_: Some(RequestType::VolumeExpansion),
            volume_expansion: Some(VolumeExpansion {
                postgres: Some(to.into()),
                mode: Some(mode),
            }),
            timeout: options.timeout,
            apply,
            max_retries: options.max_retries,
            ..PostgresOpsRequestSpec::default()
        },
        status: None,
    }
}

/// What the request says of how it came about.
fn decided(record: &Record) -> Decided {
    let measured = record.volumes.iter();
    Decided {
        at: record.at,
        measured: measured
            .filter_map(|v| Some((v.claim.clone(), v.sampled_at?)))
            .collect(),
    }
}

impl Outcome {
    /// The growth that was decided, if one was.
    fn wish(&self) -> Option<Wish<'_>> {
        match self {
            Self::Decided(decision) => match decision.as_ref() {
                Decision::Expand {
                    to,
                    base,
                    supersedes,
                    record,
                    ..
                } => Some(Wish {
                    base: *base,
                    to: *to,
                    supersedes: supersedes.as_deref(),
                    record,
                }),
                Decision::Hold { .. } => None,
            },
            Self::Panicked { .. } => None,
        }
    }
}

/// From the measurement that made the growth necessary to now.
fn since_crossing(record: &Record, now: Timestamp) -> Duration {
    let measured = fired(record).filter_map(|v| v.sampled_at).max();
    measured.map_or(Duration::ZERO, |at| {
        Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)
    })
}

/// The volumes that made it necessary.
fn fired(record: &Record) -> impl Iterator<Item = &VolumeRecord> {
    record.volumes.iter().filter(|v| v.reason.is_trigger())
}
