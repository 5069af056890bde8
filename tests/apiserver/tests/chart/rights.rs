//! What the roles allow, asked of the API server itself.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::tools::Tools;

fn account(component: &str) -> String {
    format!("--as=system:serviceaccount:highwater:highwater-{component}")
}

/// Whether a box may do this; `pods/exec` is the subresource, `leases/<name>` the object of that name.
fn may(tools: &Tools, component: &str, words: &str) -> bool {
    const SUBRESOURCES: [&str; 5] = ["status", "finalizers", "exec", "eviction", "resize"];
    let who = account(component);
    // `kubectl auth can-i` exits with 1 for no.
    let mut arguments = vec!["auth".to_owned(), "can-i".to_owned(), "--quiet".to_owned(), who];
    for word in words.split(' ') {
        match word.split_once('/') {
            Some((resource, of)) if SUBRESOURCES.contains(&of) => {
                arguments.extend([resource.to_owned(), format!("--subresource={of}")]);
            }
            _ => arguments.push(word.to_owned()),
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    tools.kubectl(&arguments).is_ok()
}

#[test]
fn each_box_may_do_its_work_and_no_more() {
    let tools = Tools::start();
    tools.helm("install", &[]).unwrap();
    let may = |component: &str, words: &str| may(&tools, component, words);
    for words in [
        "list pods -A",
        "get nodes",
        "get leases.coordination.k8s.io -n highwater",
        "create events.events.k8s.io -A",
    ] {
        assert!(!may("agent", words), "agent: {words}");
    }
    let both = [
        "watch persistentvolumes",
        "create events.events.k8s.io -A",
        "patch events.events.k8s.io -A",
        "list resourcequotas -A",
    ];
    for component in ["decider", "executor"] {
        for words in both {
            assert!(may(component, words), "{component}: {words}");
        }
        assert!(
            may(
                component,
                &format!("update leases.coordination.k8s.io/highwater-{component} -n highwater")
            ),
            "{component}"
        );
        assert!(
            !may(
                component,
                "update leases.coordination.k8s.io/someone -n highwater"
            ),
            "{component}"
        );
        for words in [
            "list secrets -A",
            "create pods -A",
            "create pods/eviction -A",
            "deletecollection persistentvolumeclaims -A",
            "patch nodes",
            "create pods/exec -A",
        ] {
            assert!(!may(component, words), "{component}: {words}");
        }
    }
    for words in [
        "create postgresopsrequests -A",
        "delete postgresopsrequests -A",
        "patch postgresautoscalers/status -A",
        "list leases.coordination.k8s.io -A",
    ] {
        assert!(may("decider", words) && !may("executor", words), "{words}");
    }
    for words in [
        "patch persistentvolumeclaims -A",
        "patch petsets -A",
        "patch postgreses -A",
        "patch postgresopsrequests/status -A",
        "patch pods -A",
        "delete pods -A",
        "patch pods/resize -A",
        "delete persistentvolumeclaims -A",
        "get secrets -A",
    ] {
        assert!(may("executor", words) && !may("decider", words), "{words}");
    }
}

/// What the provisioner's two controllers do, with the server asked in its name.
#[test]
fn the_provisioner_may_keep_pods_and_claims_and_not_read_what_it_does_not_need() {
    let tools = Tools::start();
    tools.helm("install", &[]).unwrap();
    let may = |words: &str| may(&tools, "provisioner", words);
    for words in [
        "watch petsets -A",
        "patch petsets/status -A",
        "update petsets/finalizers -A",
        "create pods -A",
        "patch pods -A",
        "delete pods -A",
        "update pods/finalizers -A",
        "create persistentvolumeclaims -A",
        "patch persistentvolumeclaims -A",
        "list controllerrevisions.apps -A",
        "create controllerrevisions.apps -A",
        "patch controllerrevisions.apps -A",
        "delete controllerrevisions.apps -A",
        "watch postgresopsrequests -A",
        "list events -A",
        "create events.events.k8s.io -A",
        "patch events.events.k8s.io -A",
        "update leases.coordination.k8s.io/highwater-provisioner -n highwater",
    ] {
        assert!(may(words), "{words}");
    }
    for words in [
        "update leases.coordination.k8s.io/highwater-executor -n highwater",
        "patch postgresopsrequests -A",
        "patch postgresopsrequests/status -A",
        "create postgresopsrequests -A",
        "list secrets -A",
        "patch nodes",
        "create pods/exec -A",
        "delete persistentvolumes",
    ] {
        assert!(!may(words), "{words}");
    }
}

#[test]
fn the_executor_changes_nothing_of_a_pod_but_its_own_annotations() {
    let tools = Tools::start();
    tools.helm("install", &[]).unwrap();
    tools.apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "pg-0", "namespace": "default", "labels": {"app": "pg"}, "annotations": {"other": "kept"}},
        "spec": {"containers": [{"name": "postgres", "image": "postgres:15"}]},
    }));
    let who = account("executor");
    let patch = |patch: &str| {
        tools.kubectl(&[
            "patch",
            "pod",
            "pg-0",
            "-n",
            "default",
            &who,
            "--type=strategic",
            "-p",
            patch,
        ])
    };
    // A new policy takes the API server a moment to load; until then it lets everything pass. Each time another value, for a patch
    // that changes nothing always passes.
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut tries = (0..).map(|n| format!(r#"{{"metadata":{{"labels":{{"try":"{n}"}}}}}}"#));
    while tries.next().is_some_and(|label| patch(&label).is_ok()) {
        assert!(Instant::now() < deadline, "the policy is not enforced");
    }
    for (what, forbidden) in [
        (
            "an image",
            r#"{"spec":{"containers":[{"name":"postgres","image":"evil"}]}}"#,
        ),
        ("a label", r#"{"metadata":{"labels":{"app":"other"}}}"#),
        ("a finalizer", r#"{"metadata":{"finalizers":["example.com/x"]}}"#),
        (
            "another's annotation",
            r#"{"metadata":{"annotations":{"other":"changed"}}}"#,
        ),
        (
            "another's annotation, removed",
            r#"{"metadata":{"annotations":{"other":null}}}"#,
        ),
        (
            "a new annotation elsewhere",
            r#"{"metadata":{"annotations":{"example.com/x":"y"}}}"#,
        ),
    ] {
        let refused = patch(forbidden).expect_err(what);
        assert!(refused.contains("highwater-executor-pods"), "{what}: {refused}");
    }
    patch(r#"{"metadata":{"annotations":{"highwater.dev/nudge":"1"}}}"#).unwrap();
    patch(r#"{"metadata":{"annotations":{"highwater.dev/nudge":null}}}"#).unwrap();
    // Everyone else is as free as before.
    tools
        .kubectl(&["label", "pod", "pg-0", "-n", "default", "tier=db"])
        .unwrap();
}
