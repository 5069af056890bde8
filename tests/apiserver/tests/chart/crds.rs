//! CRDs across installation, upgrade, rollback and removal: Helm creates what is missing and touches nothing else.

use cluster::places;
use serde_json::Value;

use crate::tools::{SHARED, Tools};

#[test]
fn helm_creates_missing_crds_and_never_touches_one_again() {
    let tools = Tools::start();
    tools.helm("install", &[]).unwrap();
    let created = tools.crds();
    for (group, plural, ..) in SHARED {
        assert!(created.contains(&format!("{plural}.{group}")), "{created}");
    }
    let policy = "jsonpath={.items[*].metadata.annotations.helm\\.sh/resource-policy}";
    let kept = tools
        .kubectl(&["get", "customresourcedefinitions", "-o", policy])
        .unwrap();
    assert_eq!(
        kept.split_whitespace().filter(|word| *word == "keep").count(),
        created.lines().count(),
        "{kept}"
    );

    // As an older chart would have left it.
    let autoscalers = "postgresautoscalers.autoscaling.kubedb.com";
    let older = r#"{"spec":{"names":{"categories":["older"]}}}"#;
    tools
        .kubectl(&[
            "patch",
            "customresourcedefinition",
            autoscalers,
            "--type=merge",
            "-p",
            older,
        ])
        .unwrap();
    let before = tools.crds();
    tools.helm("upgrade", &["--set", "log.level=debug"]).unwrap();
    assert_eq!(tools.crds(), before, "upgrade");
    tools.helm("rollback", &["1"]).unwrap();
    assert_eq!(tools.crds(), before, "rollback");
    tools.helm("uninstall", &[]).unwrap();
    assert_eq!(tools.crds(), before, "uninstall");
    tools.helm("install", &[]).unwrap();
    assert_eq!(tools.crds(), before, "installed again");

    // One that is missing comes back with the next upgrade, alone.
    tools
        .kubectl(&[
            "delete",
            "customresourcedefinition",
            "petsets.apps.k8s.appscode.com",
        ])
        .unwrap();
    tools.helm("upgrade", &[]).unwrap();
    let after = tools.crds();
    let changed: Vec<_> = after.lines().filter(|line| !before.contains(line)).collect();
    assert!(
        matches!(changed[..], [line] if line.starts_with("petsets.")),
        "{changed:?}"
    );

    // The named step, and that it can be repeated.
    tools.script("crds.sh").unwrap();
    let object = tools
        .kubectl(&["get", "customresourcedefinition", autoscalers, "-o", "json"])
        .unwrap();
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_ne!(
        object["spec"]["names"]["categories"],
        serde_json::json!(["older"])
    );
    let upgraded = tools.crds();
    tools.script("crds.sh").unwrap();
    assert_eq!(tools.crds(), upgraded);
}

#[test]
fn the_examples_are_accepted_as_they_are() {
    let tools = Tools::start();
    tools.helm("install", &[]).unwrap();
    let examples = places::repository().join("examples");
    let file = |name: &str| examples.join(name).display().to_string();
    // The namespace enforces `restricted`, so that the pod is proven to be. `strict` refuses fields that do not exist.
    tools
        .kubectl(&["apply", "--validate=strict", "-k", &file("unmanaged")])
        .unwrap();
    for (verb, name) in [("apply", "autoscaler.yaml"), ("create", "volume-expansion.yaml")] {
        tools
            .kubectl(&[verb, "--validate=strict", "-f", &file(name)])
            .unwrap();
    }
    for rendered in ["standalone.yaml", "alongside.yaml"] {
        let rendered = places::repository().join("deploy/rendered").join(rendered);
        let rendered = rendered.display().to_string();
        tools
            .kubectl(&["apply", "--dry-run=server", "--validate=strict", "-f", &rendered])
            .unwrap();
    }
}
