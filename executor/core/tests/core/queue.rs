//! Several requests of one database: KubeDB's rules, and giving way.

use executor_core::{
    Step, pause,
    request::{Mode, Operation, Phase},
    step,
};
use units::Reason;

use crate::fixture::*;

const VE: &str = "VolumeExpansion";
const HS: &str = "HorizontalScaling";

#[test]
fn the_newest_of_a_type_stays_with_kubedbs_words() {
    let mut seen = seen();
    seen.queue = vec![
        other("newer", VE, Phase::New, 5),
        other("newest", VE, Phase::Pending, 9),
        other("other-type", HS, Phase::Pending, 20),
        other("over", VE, Phase::Successful, 30),
        other("runs", VE, Phase::Progressing, 40),
    ];
    let skip = step(&request(), &seen, at(50));
    assert!(
        matches!(&skip, Step::Skip(update) if update.phase == Some(Phase::Skipped)),
        "{skip:?}"
    );
    assert_eq!(
        message(&skip, Reason::Skipped),
        format!(
            "skipped as demo/newest is the most updated PostgresOpsRequest of type VolumeExpansion at {}",
            at(9)
        )
    );
}

#[test]
fn in_the_same_second_the_greater_name_counts_as_older() {
    let mut seen = seen();
    seen.queue = vec![other("a", VE, Phase::New, 0)];
    assert!(
        matches!(step(&request(), &seen, at(1)), Step::Skip(_)),
        "grow > a"
    );
    seen.queue = vec![other("z", VE, Phase::New, 0)];
    assert_eq!(step(&request(), &seen, at(1)), Step::AddFinalizer);
}

#[test]
fn a_request_that_is_being_deleted_replaces_nobody() {
    let mut seen = seen();
    seen.queue = vec![other("newer", VE, Phase::New, 5)];
    seen.queue[0].deleting = true;
    assert_eq!(step(&request(), &seen, at(6)), Step::AddFinalizer);
}

#[test]
fn one_runs_the_others_wait() {
    let mut seen = seen();
    seen.queue = vec![other("first", VE, Phase::Progressing, -10)];
    let mut request = request();
    let hold = step(&request, &seen, at(1));
    assert_eq!(sets(&hold, Reason::Running), Some((false, "Queued".into())));
    assert_eq!(hold.update().unwrap().phase, Some(Phase::Pending));
    request.record.phase = Phase::Pending;
    request.record.conditions = hold.update().unwrap().conditions.clone();
    assert_waits(&step(&request, &seen, at(1)), Reason::Queued, None);
}

#[test]
fn a_running_request_is_never_skipped() {
    let mut seen = paused();
    seen.queue = vec![other("newer", VE, Phase::New, 5)];
    assert!(matches!(step(&begun(), &seen, at(6)), Step::PatchClaim { .. }));
}

#[test]
fn of_those_that_stay_the_oldest_runs_first() {
    let mut seen = seen();
    seen.queue = vec![other("older", HS, Phase::Pending, -5)];
    assert_eq!(
        sets(&step(&request(), &seen, at(1)), Reason::Running),
        Some((false, "Queued".into()))
    );
    seen.queue.push(other("newer", HS, Phase::Pending, 5));
    assert_eq!(
        step(&request(), &seen, at(6)),
        Step::AddFinalizer,
        "the older one will be skipped"
    );
    seen.queue = vec![other("older", HS, Phase::Pending, -5)];
    seen.queue[0].held = true;
    assert_eq!(
        step(&request(), &seen, at(6)),
        Step::AddFinalizer,
        "the older one cannot start"
    );
}

#[test]
fn a_running_request_of_another_type_gives_way_to_an_online_expansion_and_goes_on_after_it() {
    let mut scaling = begun();
    scaling.operation = Operation::Other("Reconfigure".into());
    let mut seen = seen();
    seen.queue = vec![other("urgent", VE, Phase::Pending, 5)];
    let yields = step(&scaling, &seen, at(6));
    assert!(matches!(yields, Step::Yield(_)), "{yields:?}");
    scaling
        .record
        .conditions
        .extend(yields.update().unwrap().conditions.clone());
    assert_waits(&step(&scaling, &seen, at(6)), Reason::Yielded, None);
    seen.queue[0].phase = Phase::Progressing;
    assert_waits(&step(&scaling, &seen, at(6)), Reason::Yielded, None);
    seen.queue[0].phase = Phase::Successful;
    let on = step(&scaling, &seen, at(7));
    assert_eq!(sets(&on, Reason::Yielded).map(|(status, _)| status), Some(false));
}

#[test]
fn nobody_gives_way_to_one_that_cannot_start_or_is_offline() {
    let mut scaling = begun();
    scaling.operation = Operation::Other("Reconfigure".into());
    let mut seen = seen();
    seen.queue = vec![other("urgent", VE, Phase::Pending, 5)];
    seen.queue[0].held = true;
    assert_fails(&step(&scaling, &seen, at(6)), Reason::NotSupported);
    seen.queue[0].held = false;
    seen.queue[0].online = false;
    assert_fails(&step(&scaling, &seen, at(6)), Reason::NotSupported);
}

#[test]
fn the_expansion_starts_only_once_the_other_has_given_way_and_takes_over_its_pause() {
    let mut seen = seen();
    seen.queue = vec![other("scaling", HS, Phase::Progressing, -5)];
    assert_eq!(
        sets(&step(&request(), &seen, at(6)), Reason::Running),
        Some((false, "Queued".into()))
    );
    seen.queue[0].yielded = true;
    assert_eq!(step(&request(), &seen, at(6)), Step::AddFinalizer);
    let pause = "paused for PostgresOpsRequest demo/scaling (uid-scaling)";
    database(&mut seen).paused = Some(executor_core::observed::Pause {
        message: pause.into(),
        since: Some(at(0)),
    });
    assert!(matches!(step(&begun(), &seen, at(6)), Step::Pause { .. }));
    let mut offline = request();
    expansion(&mut offline).mode = Mode::Offline;
    assert_eq!(
        sets(&step(&offline, &seen, at(6)), Reason::Running),
        Some((false, "Queued".into()))
    );
}

#[test]
fn a_pause_is_left_over_when_its_request_is_finished_or_gone() {
    let mut seen = paused();
    let left_over =
        |seen: &executor_core::Observed| pause::is_leftover(seen.database.as_ref().unwrap(), &seen.queue);
    assert!(left_over(&seen), "gone");
    seen.queue = vec![other("grow", VE, Phase::Progressing, 0)];
    assert!(!left_over(&seen));
    seen.queue[0].phase = Phase::Failed;
    assert!(left_over(&seen), "finished");
    seen.queue[0].uid = "another-of-that-name".into();
    seen.queue[0].phase = Phase::Progressing;
    assert!(left_over(&seen), "a later request of that name is not meant");
    database(&mut seen).paused.as_mut().unwrap().message = "paused by KubeDB".into();
    assert!(!left_over(&seen), "not ours to judge");
    database(&mut seen).paused = None;
    assert!(!left_over(&seen));
}

#[test]
fn while_the_database_is_paused_by_another_nothing_begins() {
    let mut seen = paused();
    let mut next = request();
    next.uid = "uid-next".into();
    next.name = "next".into();
    seen.queue = vec![other("grow", VE, Phase::Failed, -5)];
    assert_eq!(
        step(&next, &seen, at(6)),
        Step::AddFinalizer,
        "left over: taken over later"
    );
    database(&mut seen).paused.as_mut().unwrap().message = "paused by KubeDB".into();
    assert_eq!(
        sets(&step(&next, &seen, at(6)), Reason::Running),
        Some((false, "Queued".into()))
    );
}
