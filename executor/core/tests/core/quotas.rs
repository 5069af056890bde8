//! What a quota leaves for a growth.

use executor_core::{Step, observed::Quota};
use units::Reason;

use crate::{checks::refused, fixture::*};

#[test]
fn the_sum_over_all_claims_counts_against_a_quota() {
    let quota = |hard| Quota {
        name: "disk".into(),
        class: None,
        hard,
        used: gib(20),
    };
    assert_eq!(
        refused(|_, s| s.quotas = vec![quota(gib(40))]),
        Step::AddFinalizer
    );
    let step = refused(|_, s| s.quotas = vec![quota(gib(39))]);
    assert_fails(&step, Reason::QuotaExceeded);
    assert!(
        message(&step, Reason::Failed).contains("20Gi is used, 20Gi more is needed"),
        "{step:?}"
    );
}

#[test]
fn a_quota_of_another_class_and_what_is_charged_already_do_not_count() {
    let quota = |class: &str| Quota {
        name: "disk".into(),
        class: Some(class.into()),
        hard: gib(20),
        used: gib(20),
    };
    assert_eq!(
        refused(|_, s| s.quotas = vec![quota("other")]),
        Step::AddFinalizer
    );
    assert_fails(
        &refused(|_, s| s.quotas = vec![quota("fast")]),
        Reason::QuotaExceeded,
    );
    let charged = refused(|_, s| {
        s.quotas = vec![quota("fast")];
        for claim in &mut s.claims {
            claim.allocated = Some(gib(20));
        }
    });
    assert_eq!(charged, Step::AddFinalizer);
}

#[test]
fn a_full_quota_does_not_stop_what_needs_nothing_more() {
    let step = refused(|_, s| {
        s.quotas = vec![Quota {
            name: "disk".into(),
            class: None,
            hard: gib(1),
            used: gib(40),
        }];
        for claim in &mut s.claims {
            claim.request = gib(20);
        }
    });
    assert_eq!(step, Step::AddFinalizer);
}
