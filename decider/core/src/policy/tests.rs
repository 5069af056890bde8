use super::*;

fn on() -> PolicySpec {
    PolicySpec {
        trigger: Some("On".into()),
        ..PolicySpec::default()
    }
}

fn read(spec: &PolicySpec) -> Policy {
    Policy::read(spec, Duration::from_secs(10))
}

fn error(spec: &PolicySpec) -> String {
    read(spec).limits.expect_err("cannot be used").to_string()
}

#[test]
fn defaults_are_kubedbs() {
    let policy = read(&on());
    let limits = policy.limits.expect("all defaults");
    assert_eq!(limits.usage_threshold.get(), 80);
    assert_eq!(limits.inode_threshold.get(), 90);
    assert_eq!(limits.fallback, Growth::Percent(50));
    assert!(limits.rules.is_empty() && limits.upper_bound.is_none());
    assert_eq!((policy.mode, policy.apply), (Mode::Live, Apply::Always));
    assert!(policy.notes.is_empty());
}

#[test]
fn an_empty_trigger_is_off_and_a_misspelt_one_is_said() {
    assert_eq!(read(&PolicySpec::default()).trigger, Trigger::Off);
    let spec = PolicySpec {
        trigger: Some("on".into()),
        ..PolicySpec::default()
    };
    assert!(error(&spec).contains(
        "spec.storage.postgres.trigger: \"on\" is neither \"On\" nor \"Off\"; write one of the two"
    ));
}

#[test]
fn each_bad_field_is_named_with_its_remedy() {
    let rule = |upto: &str, threshold: &str| {
        vec![RuleSpec {
            applies_upto: upto.into(),
            threshold: threshold.into(),
        }]
    };
    for (spec, wanted) in [
        (
            PolicySpec {
                usage_threshold: Some(0),
                ..on()
            },
            "usageThreshold: 0 is not a percentage from 1 to 99; write for example 80",
        ),
        (
            PolicySpec {
                usage_threshold: Some(100),
                ..on()
            },
            "usageThreshold: 100",
        ),
        (
            PolicySpec {
                usage_threshold: Some(-5),
                ..on()
            },
            "usageThreshold: -5",
        ),
        (
            PolicySpec {
                scaling_threshold: Some(0),
                ..on()
            },
            "scalingThreshold: 0 is not a percentage from 1 to 1000; write for example 50",
        ),
        (
            PolicySpec {
                rules: rule("500GB", "50pc"),
                ..on()
            },
            "scalingRules[0].appliesUpto: \"500GB\"",
        ),
        (
            PolicySpec {
                rules: rule("", "fifty"),
                ..on()
            },
            "scalingRules[0].threshold",
        ),
        (
            PolicySpec {
                upper_bound: Some("500GB".into()),
                ..on()
            },
            "upperBound: \"500GB\" is not a Kubernetes quantity; write 500G or 500Gi",
        ),
        (
            PolicySpec {
                upper_bound: Some("0".into()),
                ..on()
            },
            "upperBound: 0 leaves no room; write a size such as 500Gi",
        ),
    ] {
        let message = error(&spec);
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn a_bad_annotation_leaves_the_default_and_a_note() {
    let spec = PolicySpec {
        mode: Some("shadow".into()),
        inode_threshold: Some("120".into()),
        apply: Some("Sometimes".into()),
        time_to_full: Some("No".into()),
        ..on()
    };
    let policy = read(&spec);
    assert_eq!((policy.mode, policy.apply), (Mode::Live, Apply::Always));
    let limits = policy.limits.expect("usable");
    assert_eq!(
        (limits.inode_threshold.get(), limits.time_to_full),
        (90, Trigger::On)
    );
    let keys: Vec<_> = policy
        .notes
        .iter()
        .map(|n| n.text.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(
        keys,
        [
            "annotation highwater.dev/mode",
            "annotation highwater.dev/apply",
            "annotation highwater.dev/inode-threshold",
            "annotation highwater.dev/time-to-full"
        ]
    );
}

#[test]
fn time_to_full_can_be_switched_off() {
    let spec = PolicySpec {
        time_to_full: Some("Off".into()),
        ..on()
    };
    assert_eq!(read(&spec).limits.expect("usable").time_to_full, Trigger::Off);
}
