//! Each line of the order, by name: take a rule out of `decide` and the test of its name fails, because the
//! scene is one that would expand without it. Upper bound and quota bind the size, too: what fails without those two rules
//! is in [`bounds`](crate::bounds). The last test takes two at a time.

use decider_core::{Decision, Expansion, FailedRequest, OpenRequest, PastGrowth, Resize, Room, Usage};
use units::{Bytes, Reason};

use crate::scene::{self, GIB, Scene, first_seen, full, seconds_ago};

/// Spoils the full scene and expects the hold.
fn holds(reason: Reason, spoil: impl FnOnce(&mut Scene)) {
    let mut scene = full();
    assert_eq!(scene.reason(), Reason::ThresholdExceeded, "unspoilt it expands");
    spoil(&mut scene);
    let decision = scene.decide();
    assert!(matches!(decision, Decision::Hold { .. }), "{decision:?}");
    assert_eq!(decision.reason(), reason, "{}", decision.record().text);
}

fn off(s: &mut Scene) {
    s.spec.trigger = Some("Off".into());
}
fn unknown_database(s: &mut Scene) {
    s.db.exists = false;
}
fn two_autoscalers(s: &mut Scene) {
    s.db.other_autoscalers = vec!["other".into()];
}
fn invalid_policy(s: &mut Scene) {
    s.spec.upper_bound = Some("500GB".into());
}
fn other_controller(s: &mut Scene) {
    s.db.volumes[0].claim.other_controller = Some("annotation resize.topolvm.io/storage_limit".into());
}
fn not_measured(s: &mut Scene) {
    s.db.volumes[0].usage = Usage::Never;
}
fn stale(s: &mut Scene) {
    first_seen(s).as_of = seconds_ago(11);
}
fn shared_filesystem(s: &mut Scene) {
    s.profile.shared_filesystem = Some(true);
}
fn network_filesystem(s: &mut Scene) {
    first_seen(s).network = true;
}
fn device_of_two_volumes(s: &mut Scene) {
    let shown = first_seen(s).sample.usage.capacity;
    first_seen(s).shared = true;
    let claim = &mut s.db.volumes[0].claim;
    claim.capacity = shown.saturating_sub(Bytes::MIB);
    claim.device = claim.capacity;
}
fn read_only(s: &mut Scene) {
    first_seen(s).sample.read_only = true;
}
pub(crate) fn class_not_expandable(s: &mut Scene) {
    s.db.volumes[0].claim.expandable = false;
}
fn driver_not_expandable(s: &mut Scene) {
    s.profile.expansion = Expansion::Unsupported;
}
fn driver_only_offline(s: &mut Scene) {
    s.profile.expansion = Expansion::Offline;
}
pub(crate) fn request_open(s: &mut Scene) {
    s.db.open_request = Some(OpenRequest {
        name: "pgops-pg-abcdef".into(),
        waits_since: None,
    });
}
pub(crate) fn request_failed(s: &mut Scene) {
    s.db.failed_request = Some(FailedRequest {
        name: "pgops-pg-abcdef".into(),
        at: seconds_ago(2),
        in_a_row: 1,
        why: None,
        infeasible: None,
    });
}
pub(crate) fn resize_in_flight(s: &mut Scene) {
    s.db.volumes[0].resize = Resize::InFlight {
        what: "ControllerResizeInProgress".into(),
    };
}
fn not_followed(s: &mut Scene) {
    s.db.volumes[0].before_growth = Some(Bytes::new(GIB));
}
pub(crate) fn below_threshold(s: &mut Scene) {
    first_seen(s).sample = scene::sample(GIB, GIB * 80 / 100);
}
pub(crate) fn at_upper_bound(s: &mut Scene) {
    s.spec.upper_bound = Some("1Gi".into());
}
pub(crate) fn upper_bound_below_the_present_size(s: &mut Scene) {
    s.spec.upper_bound = Some("512Mi".into());
}
pub(crate) fn at_maximum_size(s: &mut Scene) {
    s.profile.maximum_size = Some(Bytes::new(GIB));
}
pub(crate) fn budget(s: &mut Scene) {
    s.profile.modifications = Some(crate::rates::BUDGET);
    s.db.modified.at = vec![seconds_ago(60), seconds_ago(50), seconds_ago(40)];
}
pub(crate) fn quota(s: &mut Scene) {
    s.db.rooms = vec![Room::Sum {
        what: "ResourceQuota demo/q".into(),
        left: Bytes::ZERO,
    }];
}
pub(crate) fn limit_range(s: &mut Scene) {
    s.db.rooms = vec![Room::Each {
        what: "LimitRange demo/l".into(),
        max: Bytes::new(GIB),
    }];
}
pub(crate) fn runaway(s: &mut Scene) {
    let growth = |hours: i64| PastGrowth {
        at: seconds_ago(hours * 3600),
        from: Bytes::new(GIB * 9 / 10),
        to: Bytes::new(GIB),
    };
    s.db.growths = vec![growth(1), growth(2), growth(3), growth(23)];
}
pub(crate) fn shadow(s: &mut Scene) {
    s.spec.mode = Some("Shadow".into());
}

/// A rule: its name, what it answers, and what makes it do so.
type Rule = (&'static str, Reason, fn(&mut Scene));

/// The order of the documentation.
const ORDER: &[Rule] = &[
    ("off", Reason::TriggerOff, off),
    ("unknown database", Reason::DatabaseNotFound, unknown_database),
    ("two autoscalers", Reason::DuplicateAutoscaler, two_autoscalers),
    ("invalid policy", Reason::InvalidPolicy, invalid_policy),
    ("other controller", Reason::OtherController, other_controller),
    ("stale", Reason::Stale, stale),
    ("shared filesystem", Reason::SharedFilesystem, shared_filesystem),
    ("read-only", Reason::ReadOnly, read_only),
    ("not expandable", Reason::NotExpandable, class_not_expandable),
    ("request open", Reason::RequestOpen, request_open),
    ("request failed", Reason::RequestFailed, request_failed),
    ("resize in flight", Reason::ResizeInFlight, resize_in_flight),
    ("not followed", Reason::NotFollowed, not_followed),
    ("at upper bound", Reason::AtUpperBound, at_upper_bound),
    ("budget", Reason::BudgetSpent, budget),
    ("quota", Reason::QuotaExceeded, quota),
    ("runaway", Reason::Runaway, runaway),
    ("shadow", Reason::Shadow, shadow),
];

macro_rules! each_rule_holds {
    ($($name:ident => $reason:ident,)+) => { mod each_rule_holds { $(
        #[test]
        fn $name() { super::holds(units::Reason::$reason, super::$name); }
    )+ } };
}

each_rule_holds! {
    off => TriggerOff,
    unknown_database => DatabaseNotFound,
    two_autoscalers => DuplicateAutoscaler,
    invalid_policy => InvalidPolicy,
    other_controller => OtherController,
    not_measured => NotMeasured,
    stale => Stale,
    shared_filesystem => SharedFilesystem,
    network_filesystem => SharedFilesystem,
    device_of_two_volumes => SharedFilesystem,
    read_only => ReadOnly,
    class_not_expandable => NotExpandable,
    driver_not_expandable => NotExpandable,
    driver_only_offline => InUse,
    request_open => RequestOpen,
    request_failed => RequestFailed,
    resize_in_flight => ResizeInFlight,
    not_followed => NotFollowed,
    below_threshold => BelowThreshold,
    at_upper_bound => AtUpperBound,
    upper_bound_below_the_present_size => AtUpperBound,
    at_maximum_size => AtMaximumSize,
    budget => BudgetSpent,
    quota => QuotaExceeded,
    limit_range => QuotaExceeded,
    shadow => Shadow,
}

/// Runaway asks without upperBound only; it is not in the table above because of its exceptions.
#[test]
fn runaway_holds_unless_bounded_or_an_emergency() {
    holds(Reason::Runaway, runaway);
    let mut bounded = full();
    runaway(&mut bounded);
    bounded.spec.upper_bound = Some("10Gi".into());
    assert_eq!(bounded.reason(), Reason::ThresholdExceeded);
    let mut emergency = full();
    runaway(&mut emergency);
    first_seen(&mut emergency).sample = scene::sample(GIB, GIB * 95 / 100 + 1);
    assert_eq!(emergency.reason(), Reason::ThresholdExceeded);
    let mut yesterday = full();
    runaway(&mut yesterday);
    yesterday.db.growths[3].at = seconds_ago(24 * 3600);
    assert_eq!(
        yesterday.reason(),
        Reason::ThresholdExceeded,
        "a growth a day old no longer counts"
    );
}

#[test]
fn runaway_also_counts_the_multiple() {
    holds(Reason::Runaway, |s| {
        s.db.growths = vec![PastGrowth {
            at: seconds_ago(60),
            from: Bytes::new(GIB / 4),
            to: Bytes::new(GIB),
        }];
    });
}

/// With any two rules broken at once, the earlier one answers.
#[test]
fn the_earlier_rule_answers() {
    for (i, (first, reason, spoil)) in ORDER.iter().enumerate() {
        for (second, _, spoil_later) in &ORDER[i + 1..] {
            let mut scene = full();
            spoil_later(&mut scene);
            spoil(&mut scene);
            assert_eq!(scene.reason(), *reason, "{first} comes before {second}");
        }
    }
}

#[test]
fn a_failed_request_delays_and_does_not_block() {
    let mut scene = full();
    let failed = |seconds, in_a_row| {
        Some(FailedRequest {
            name: "pgops-pg-abcdef".into(),
            at: seconds_ago(seconds),
            in_a_row,
            why: None,
            infeasible: None,
        })
    };
    for (seconds, in_a_row, wanted) in [
        (4, 1, Reason::RequestFailed),
        (5, 1, Reason::ThresholdExceeded),
        (9, 2, Reason::RequestFailed),
        (10, 2, Reason::ThresholdExceeded),
        (599, 40, Reason::RequestFailed),
        (600, 40, Reason::ThresholdExceeded),
    ] {
        scene.db.failed_request = failed(seconds, in_a_row);
        assert_eq!(scene.reason(), wanted, "{seconds} s after failure {in_a_row}");
    }
}

#[test]
fn growth_is_followed_once_the_filesystem_is_larger() {
    let mut scene = full();
    scene.db.volumes[0].before_growth = Some(Bytes::new(GIB - 1));
    assert_eq!(scene.reason(), Reason::ThresholdExceeded);
}

#[test]
fn no_volumes_at_all_is_not_measured() {
    let mut scene = full();
    scene.db.volumes.clear();
    assert_eq!(scene.reason(), Reason::NotMeasured);
}

#[test]
fn what_an_agent_was_not_believed_is_in_the_text() {
    let mut scene = full();
    scene.db.volumes[0].usage = Usage::Refused {
        reason: Reason::ClockSkew,
        text: "the clock of node-1 is 3600 s off".into(),
    };
    assert_eq!(scene.reason(), Reason::NotMeasured);
    assert!(scene.text().contains("node-1"), "{}", scene.text());
    assert_eq!(scene.decide().record().volumes[0].reason, Reason::ClockSkew);
}
