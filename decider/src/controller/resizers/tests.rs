use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A Lease that was renewed at this second by a clock that is ten hours behind.
fn held(path: &str, second: i64) -> Held {
    Held {
        path: path.into(),
        renewed: Some(at(second - 36_000)),
        written: Some(at(second)),
        patience: SignedDuration::from_secs(60),
    }
}

fn read(spec: serde_json::Value) -> Held {
    let lease = serde_json::json!({"metadata": {"namespace": "n", "name": "l"}, "spec": spec});
    Held::of(serde_json::from_value(lease).unwrap())
}

/// What is known when these were first seen so at this second.
fn known(leases: &[Held], since: i64) -> Known {
    let each = leases.iter().cloned();
    each.map(|lease| (lease.path, (lease.renewed, at(since))))
        .collect()
}

fn gone(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Abandoned(gone) => Some(gone.lease),
        Verdict::Fine | Verdict::Unknown => None,
    }
}

#[test]
fn a_lease_that_nobody_renews_is_abandoned() {
    let old = [held("kube-system/l", 0)];
    let verdict = |now| verdict(&old, &known(&old, 0), at(now));
    assert_eq!(gone(verdict(60)), Some("kube-system/l".into()));
    assert_eq!(verdict(59), Verdict::Unknown, "another may take over");
}

#[test]
fn one_that_lasts_longer_may_stand_longer() {
    let slow = [read(
        serde_json::json!({"holderIdentity": "a", "leaseDurationSeconds": 120}),
    )];
    let verdict = |now| verdict(&slow, &known(&slow, 0), at(now));
    assert_eq!(verdict(479), Verdict::Unknown);
    assert_eq!(gone(verdict(480)), Some("n/l".into()));
}

/// It says that it lasts a second, and its next holder is being started.
#[test]
fn one_that_was_given_back_may_stand_as_long_as_any() {
    for holder in [serde_json::json!(null), serde_json::json!("")] {
        let back = read(serde_json::json!({"holderIdentity": holder, "leaseDurationSeconds": 1}));
        assert_eq!(back.patience, SignedDuration::from_secs(60));
    }
}

/// A growth after that disproves it, whichever replica asks and however lately that was started.
#[test]
fn it_is_given_up_at_a_time_that_all_replicas_agree_on() {
    let two = [held("old/l", 0), held("new/l", 450)];
    for first_seen in [0, 460, 800] {
        let Verdict::Abandoned(gone) = verdict(&two, &known(&two, first_seen), at(900)) else {
            panic!("nobody renews any");
        };
        assert_eq!(gone.given_up, at(510), "first seen {first_seen}");
    }
}

#[test]
fn the_api_servers_time_is_that_of_the_last_change() {
    let part = |second| serde_json::json!({"manager": "csi-resizer", "operation": "Update", "time": at(second).to_string()});
    let lease = serde_json::json!({"metadata": {"namespace": "n", "name": "l", "managedFields": [part(7), part(9), part(8)]}});
    let held = Held::of(serde_json::from_value(lease).unwrap());
    assert_eq!(held.written, Some(at(9)));
}

#[test]
fn what_is_not_known_changes_nothing() {
    assert_eq!(
        verdict(&[], &Known::new(), at(0)),
        Verdict::Fine,
        "it may do without election"
    );
    let old = [held("kube-system/l", 0)];
    assert_eq!(
        verdict(&old, &Known::new(), at(500)),
        Verdict::Unknown,
        "a first look, or one after an outage"
    );
    let moved = [held("kube-system/l", 10)];
    assert_eq!(verdict(&moved, &known(&old, 0), at(500)), Verdict::Fine);
    assert_eq!(since(&moved[0], &known(&old, 0), at(500)), at(500));
    assert_eq!(since(&old[0], &known(&old, 0), at(500)), at(0));
}

#[test]
fn one_that_is_renewed_is_enough() {
    let two = [held("old/l", 0), held("new/l", 495)];
    let before = [held("old/l", 0), held("new/l", 490)];
    assert_eq!(verdict(&two, &known(&before, 0), at(500)), Verdict::Fine);
    let mut standing = known(&two, 0);
    standing.extend(known(&two[1..], 450));
    assert_eq!(
        verdict(&two, &standing, at(500)),
        Verdict::Unknown,
        "not for long enough"
    );
    assert_eq!(
        gone(verdict(&two, &standing, at(600))),
        Some("new/l".into()),
        "the newest is named"
    );
}
