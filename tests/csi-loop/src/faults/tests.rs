use std::{fs, thread};

use super::*;

fn subject() -> Subject {
    let parameters = [
        ("csi.storage.k8s.io/pvc/namespace", "shop"),
        ("csi.storage.k8s.io/pvc/name", "data-orders-0"),
        ("tier", "slow"),
    ];
    Subject {
        volume: "pvc-1".to_owned(),
        parameters: parameters
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn rule(name: &str, volume: &str, op: Option<Operation>, fault: Fault) -> Rule {
    Rule {
        name: name.to_owned(),
        volume: volume.parse().unwrap(),
        op,
        fault,
    }
}

#[test]
fn selectors_match_what_they_say_and_nothing_else() {
    let cases = [
        ("*", true),
        ("pvc-1", true),
        ("pvc-12", false),
        ("shop/data-orders-0", true),
        ("shop/data-orders-1", false),
        ("other/data-orders-0", false),
        ("shop/*", true),
        ("sho/*", false),
        ("tier=slow", true),
        ("tier=fast", false),
        ("missing=", false),
        ("csi.storage.k8s.io/pvc/name=data-orders-0", true),
    ];
    for (text, expected) in cases {
        let selector: Selector = text.parse().unwrap();
        assert_eq!(selector.matches(&subject()), expected, "{text}");
        assert_eq!(selector.to_string(), text);
    }
}

#[test]
fn selectors_refuse_what_selects_nothing() {
    for text in ["", "/", "a/", "/b", "a/b/c", "=x"] {
        assert!(text.parse::<Selector>().is_err(), "{text:?}");
    }
}

#[test]
fn a_volume_without_claim_metadata_matches_no_claim() {
    let bare = Subject {
        volume: "pvc-1".to_owned(),
        ..Subject::default()
    };
    assert!(!"shop/*".parse::<Selector>().unwrap().matches(&bare));
}

#[test]
fn matching_keeps_the_order_and_leaves_other_operations_out() {
    let faults = Faults {
        rules: vec![
            rule("a", "*", Some(Operation::NodeExpand), Fault::Hang),
            rule("b", "pvc-1", None, Fault::Delay { millis: 1 }),
            rule("c", "*", Some(Operation::ControllerExpand), Fault::OfflineOnly),
            rule("d", "pvc-2", None, Fault::Hang),
        ],
    };
    let found: Vec<_> = faults.matching(Operation::ControllerExpand, &subject()).collect();
    assert_eq!(found, [&Fault::Delay { millis: 1 }, &Fault::OfflineOnly]);
}

#[test]
fn the_file_is_the_documented_json() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{"rules": [
        {"name": "a", "fault": "hang"},
        {"name": "b", "volume": "shop/*", "op": "ControllerExpand",
         "fault": {"refuse": {"code": "RESOURCE_EXHAUSTED", "message": "no room"}}},
        {"name": "c", "fault": {"rate_limit": {"modifications": 4, "window_millis": 1000}}}
    ]}"#;
    fs::write(dir.path().join("faults.json"), text).unwrap();
    let refuse = Fault::Refuse {
        code: Code::ResourceExhausted,
        message: "no room".to_owned(),
    };
    let limit = Fault::RateLimit {
        modifications: 4,
        window_millis: 1000,
        code: Code::Internal,
        message: None,
    };
    let expected = Faults {
        rules: vec![
            rule("a", "*", None, Fault::Hang),
            rule("b", "shop/*", Some(Operation::ControllerExpand), refuse),
            rule("c", "*", None, limit),
        ],
    };
    assert_eq!(read(dir.path()).unwrap(), expected);
    write(dir.path(), &expected).unwrap();
    assert_eq!(read(dir.path()).unwrap(), expected);
}

#[test]
fn no_file_is_no_fault_and_a_wrong_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(dir.path()).unwrap(), Faults::default());
    for text in [
        "",
        "{",
        r#"{"rules": [{"name": "a", "fault": "hangs"}]}"#,
        r#"{"ruls": []}"#,
    ] {
        fs::write(dir.path().join("faults.json"), text).unwrap();
        assert!(
            matches!(read(dir.path()), Err(FaultsError::Malformed { .. })),
            "{text}"
        );
    }
    clear(dir.path()).unwrap();
    assert_eq!(read(dir.path()).unwrap(), Faults::default());
}

#[test]
fn rules_without_effect_and_doubled_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let useless = rule("a", "*", Some(Operation::NodeExpand), Fault::OfflineOnly);
    assert!(matches!(
        add(dir.path(), useless),
        Err(FaultsError::WithoutEffect { .. })
    ));
    let twice = Faults {
        rules: vec![
            rule("a", "*", None, Fault::Hang),
            rule("a", "x", None, Fault::Hang),
        ],
    };
    assert!(matches!(
        write(dir.path(), &twice),
        Err(FaultsError::SameName { .. })
    ));
    assert_eq!(read(dir.path()).unwrap(), Faults::default());
}

#[test]
fn a_rule_replaces_its_namesake_and_ends_with_its_guard() {
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), rule("stays", "*", None, Fault::Hang)).unwrap();
    {
        let _first = inject(dir.path(), rule("mine", "*", None, Fault::Hang)).unwrap();
        add(dir.path(), rule("mine", "pvc-1", None, Fault::Hang)).unwrap();
        assert_eq!(read(dir.path()).unwrap().rules.len(), 2);
    }
    assert_eq!(
        read(dir.path()).unwrap().rules,
        [rule("stays", "*", None, Fault::Hang)]
    );
    assert!(!remove(dir.path(), "mine").unwrap());
    assert!(remove(dir.path(), "stays").unwrap());
}

#[test]
fn writers_beside_each_other_lose_no_rule() {
    let dir = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for writer in 0..8 {
            let state = dir.path();
            scope.spawn(move || {
                for number in 0..20 {
                    add(state, rule(&format!("{writer}-{number}"), "*", None, Fault::Hang)).unwrap();
                }
            });
        }
    });
    assert_eq!(read(dir.path()).unwrap().rules.len(), 160);
}

#[test]
fn codes_are_grpc_s_names() {
    assert_eq!(
        serde_json::to_string(&Code::FailedPrecondition).unwrap(),
        r#""FAILED_PRECONDITION""#
    );
    assert_eq!(
        tonic::Code::from(Code::FailedPrecondition),
        tonic::Code::FailedPrecondition
    );
    assert!(serde_json::from_str::<Code>(r#""OK""#).is_err());
    for code in Code::value_variants() {
        let grpc = tonic::Code::from(*code);
        let name = serde_json::to_string(code).unwrap().replace(['_', '"'], "");
        assert_eq!(format!("{grpc:?}").to_uppercase(), name);
    }
}
