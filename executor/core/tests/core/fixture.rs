//! A request and what it sees, as they are in the middle of a usual run; tests change what they are about.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use executor_core::{
    Observed, Request, Step,
    observed::{Answer, Claim, Class, Database, Pause, PetSet, Pod, Queued, Resize, Trial},
    pause,
    request::{
        Apply, Condition, Expansion, Mode, Operation, Phase, Record, Resources, Size, Stage, VolumeRecord,
    },
};
use jiff::Timestamp;
use units::{Bytes, Reason};

/// Seconds after the request was created.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

pub(crate) fn gib(n: u64) -> Bytes {
    Bytes::new(n << 30)
}

/// Ten to twenty GiB, just created, `apply: Always`, 100 s a step, no retry.
pub(crate) fn request() -> Request {
    Request {
        namespace: "demo".into(),
        name: "grow".into(),
        uid: "uid-grow".into(),
        generation: 1,
        created: at(0),
        deleted: None,
        finalizer: false,
        database: "pg".into(),
        operation: Operation::VolumeExpansion(Some(Expansion {
            postgres: Size::Of(gib(20)),
            arbiter: false,
            mode: Mode::Online,
        })),
        apply: Apply::Always,
        timeout: Some(Duration::from_secs(100)),
        max_retries: 0,
        record: Record {
            phase: Phase::New,
            conditions: Vec::new(),
            volumes: Vec::new(),
            members: Vec::new(),
            attempts: 0,
            started_at: None,
        },
    }
}

/// The same, begun at second 1.
pub(crate) fn begun() -> Request {
    let mut request = request();
    request.finalizer = true;
    request.record.phase = Phase::Progressing;
    request.record.started_at = Some(at(1));
    request.record.attempts = 1;
    request.record.conditions = vec![condition(Reason::Running, true, Reason::Running, 1)];
    request.record.volumes = vec![
        line("data-pg-0", Stage::Pending),
        line("data-pg-1", Stage::Pending),
    ];
    request
}

/// The same, its claims grown at second 9.
pub(crate) fn grown() -> Request {
    let mut request = begun();
    request.record.conditions.push(condition(
        Reason::VolumeExpansion,
        true,
        Reason::VolumeExpansion,
        9,
    ));
    request
}

pub(crate) fn condition(kind: Reason, status: bool, reason: Reason, second: i64) -> Condition {
    Condition {
        kind: kind.as_str().into(),
        status,
        reason: reason.as_str().into(),
        message: String::new(),
        since: Some(at(second)),
    }
}

pub(crate) fn line(claim: &str, stage: Stage) -> VolumeRecord {
    VolumeRecord {
        claim: claim.into(),
        from: gib(10),
        to: gib(20),
        stage,
        capacity: gib(10),
        reason: Reason::Running,
        message: String::new(),
        since: None,
    }
}

/// Two bound and mounted claims of 10 GiB of an unmanaged database; their patches are tried and would be accepted.
pub(crate) fn seen() -> Observed {
    let trial = || Trial {
        to: gib(20),
        refused: None,
    };
    Observed {
        database: Some(Database {
            uid: "uid-pg".into(),
            managed: false,
            ready: true,
            storage: Some(gib(10)),
            replicas: Some(2),
            standby: None,
            streaming: None,
            halted: false,
            resources: Resources::default(),
            paused: None,
            acknowledged: None,
        }),
        petset: Some(PetSet {
            name: "pg".into(),
            template: Some(gib(10)),
            unmanaged: true,
            replicas: 2,
            present: None,
            sealed: None,
            hold: None,
            held: None,
            resources: Resources::default(),
            resources_before: None,
        }),
        claims: vec![claim(0), claim(1)],
        members: Vec::new(),
        cluster: Answer::NotAsked,
        beside_kubedb: false,
        credentials: None,
        quotas: Vec::new(),
        limits: Vec::new(),
        queue: Vec::new(),
        trials: BTreeMap::from([("data-pg-0".into(), trial()), ("data-pg-1".into(), trial())]),
        refusals: BTreeMap::new(),
        attempted: BTreeSet::new(),
        troubles: BTreeMap::new(),
    }
}

pub(crate) fn claim(ordinal: u32) -> Claim {
    Claim {
        name: format!("data-pg-{ordinal}"),
        uid: format!("uid-claim-{ordinal}"),
        ordinal,
        bound: true,
        deleting: false,
        class: Some(Class {
            name: "fast".into(),
            expandable: true,
            profile: None,
        }),
        request: gib(10),
        capacity: gib(10),
        allocated: None,
        resize: None,
        controller_error: None,
        node_error: None,
        resizer_seen: false,
        volume: Some(gib(10)),
        pods: vec![Pod {
            name: format!("pg-{ordinal}"),
            nudged: None,
        }],
        events: Vec::new(),
    }
}

/// [`seen`], paused for [`request`] at second 2.
pub(crate) fn paused() -> Observed {
    let mut seen = seen();
    database(&mut seen).paused = Some(Pause {
        message: pause::message(&request()),
        since: Some(at(2)),
    });
    seen
}

/// [`paused`], both claims asked for and being resized.
pub(crate) fn resizing() -> Observed {
    let mut seen = paused();
    for claim in &mut seen.claims {
        claim.request = gib(20);
        claim.allocated = Some(gib(20));
        claim.resize = Some(Resize::ControllerInProgress);
        claim.resizer_seen = true;
    }
    seen
}

/// [`paused`], both claims done.
pub(crate) fn done() -> Observed {
    let mut seen = resizing();
    for claim in &mut seen.claims {
        claim.volume = Some(gib(20));
        claim.capacity = gib(20);
        claim.resize = None;
    }
    seen
}

/// The section of an expansion.
pub(crate) fn expansion(request: &mut Request) -> &mut Expansion {
    match &mut request.operation {
        Operation::VolumeExpansion(Some(expansion)) => expansion,
        other => panic!("{other:?} is no expansion"),
    }
}

pub(crate) fn database(seen: &mut Observed) -> &mut Database {
    seen.database.as_mut().unwrap()
}

/// Another request of the same database, created `second` seconds after ours.
pub(crate) fn other(name: &str, kind: &str, phase: Phase, second: i64) -> Queued {
    Queued {
        name: name.into(),
        uid: format!("uid-{name}"),
        kind: kind.into(),
        online: kind == "VolumeExpansion",
        created: at(second),
        phase,
        deleting: false,
        yielded: false,
        held: false,
    }
}

/// The reason of the condition of this type that a step sets.
pub(crate) fn sets(step: &Step, kind: Reason) -> Option<(bool, String)> {
    let update = step.update()?;
    let condition = update
        .conditions
        .iter()
        .find(|condition| condition.kind == kind.as_str())?;
    Some((condition.status, condition.reason.clone()))
}

/// The message of the condition of this type that a step sets.
pub(crate) fn message(step: &Step, kind: Reason) -> String {
    let update = step
        .update()
        .unwrap_or_else(|| panic!("{step:?} changes no status"));
    let condition = update
        .conditions
        .iter()
        .find(|condition| condition.kind == kind.as_str());
    condition
        .unwrap_or_else(|| panic!("{update:?} does not set {kind}"))
        .message
        .clone()
}

/// Somebody deletes a request at this second: it is gone if nothing holds it. None if that was done before, or there is none.
pub(crate) fn delete(request: &mut Option<Request>, second: i64) -> Option<()> {
    let deleted = request.as_mut().filter(|request| request.deleted.is_none())?;
    deleted.deleted = Some(at(second));
    request.take_if(|request| !request.finalizer);
    Some(())
}

/// That the step ends a request that has not begun, or gives up one that has, for this reason.
pub(crate) fn assert_fails(step: &Step, reason: Reason) {
    assert!(matches!(step, Step::Fail(_) | Step::GiveUp(_)), "{step:?}");
    assert_eq!(
        sets(step, Reason::Failed),
        Some((true, reason.to_string())),
        "{step:?}"
    );
}

/// That the step waits for this, until this second.
pub(crate) fn assert_waits(step: &Step, reason: Reason, until: Option<i64>) {
    match step {
        Step::Wait(wait) => assert_eq!((wait.reason, wait.until), (reason, until.map(at))),
        step => panic!("{step:?} does not wait"),
    }
}
