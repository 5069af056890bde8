//! The two modes: each refuses the cluster that the other is for, before anything is created.

use serde_json::{Value, json};

use crate::tools::Tools;

const ALONGSIDE: [&str; 4] = [
    "--set",
    "mode=alongside",
    "--set",
    "executor.enabled=false,provisioner.enabled=false",
];

/// A workload as KubeDB's charts label it.
fn kubedb(kind: &str, app: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": app});
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": app, "namespace": "default", "labels": labels},
        "spec": {
            "serviceName": app, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "operator", "image": "operator"}]}},
        },
    })
}

#[test]
fn beside_kubedb_only_what_fits_is_installed() {
    let tools = Tools::start();
    tools.install_foreign_crds();
    let foreign = tools.crds();

    let refused = tools.helm("install", &[]).unwrap_err();
    assert!(
        refused.contains("belong to someone else") && refused.contains("mode=alongside"),
        "{refused}"
    );
    assert!(
        refused.contains("postgreses.kubedb.com") && refused.contains("petsets.apps.k8s.appscode.com"),
        "{refused}"
    );
    assert_eq!(tools.crds(), foreign, "a refusal creates no CRD");
    let refused = tools.script("crds.sh").unwrap_err();
    assert!(
        refused.contains("not Highwater's, nothing was changed"),
        "{refused}"
    );
    assert_eq!(
        tools.crds(),
        foreign,
        "the upgrade step changes no CRD of someone else"
    );

    tools.apply(&kubedb("StatefulSet", "kubedb-autoscaler"));
    let refused = tools.helm("install", &ALONGSIDE).unwrap_err();
    assert!(refused.contains("replaces KubeDB's autoscaler"), "{refused}");
    tools
        .kubectl(&["delete", "statefulset", "kubedb-autoscaler"])
        .unwrap();

    tools.apply(&kubedb("StatefulSet", "kubedb-ops-manager"));
    let refused = tools
        .helm("install", &["--set", "mode=alongside,provisioner.enabled=false"])
        .unwrap_err();
    assert!(
        refused.contains("two executors would fight") && refused.contains("executor.enabled=false"),
        "{refused}"
    );
    assert_eq!(tools.crds(), foreign);

    tools.helm("install", &ALONGSIDE).unwrap();
    let after = tools.crds();
    assert!(
        foreign.lines().all(|line| after.contains(line)),
        "KubeDB's CRDs are as they were:\n{foreign}\n{after}"
    );
    let ours: Vec<_> = after.lines().filter(|line| !foreign.contains(line)).collect();
    assert!(
        ours.iter().all(|line| line.contains("highwater.dev")),
        "only Highwater's own kinds are new: {ours:?}"
    );
    let deployments = tools
        .kubectl(&["get", "deployments", "-n", "highwater", "-o", "name"])
        .unwrap();
    assert_eq!(deployments.trim(), "deployment.apps/highwater-decider");

    let provisioner = ["--set", "mode=alongside,executor.enabled=false"];
    let refused = tools.helm("upgrade", &provisioner).unwrap_err();
    assert!(
        refused.contains("two would fight over each pod") && refused.contains("provisioner.ownedOnly=true"),
        "{refused}"
    );
    let owned = [
        "--set",
        "mode=alongside,executor.enabled=false,provisioner.ownedOnly=true",
    ];
    tools.helm("upgrade", &owned).unwrap();
    let arguments = tools
        .kubectl(&[
            "get",
            "deployment",
            "highwater-provisioner",
            "-n",
            "highwater",
            "-o",
            "jsonpath={.spec.template.spec.containers[0].args}",
        ])
        .unwrap();
    assert!(arguments.contains("--mode=alongside"), "{arguments}");
}

#[test]
fn alongside_without_kubedb_is_refused() {
    let tools = Tools::start();
    let refused = tools.helm("install", &ALONGSIDE).unwrap_err();
    assert!(
        refused.contains("postgreses.kubedb.com does not exist") && refused.contains("Install KubeDB first"),
        "{refused}"
    );
    assert_eq!(tools.crds(), "");

    let refused = tools
        .helm("install", &["--set", "executor.enabled=false"])
        .unwrap_err();
    assert!(
        refused.contains("mode=standalone needs the executor"),
        "{refused}"
    );

    tools
        .kubectl(&[
            "label",
            "namespace",
            "highwater",
            "pod-security.kubernetes.io/enforce=baseline",
        ])
        .unwrap();
    let refused = tools.helm("install", &[]).unwrap_err();
    assert!(
        refused.contains("forbids the agent's read-only hostPath"),
        "{refused}"
    );
    tools
        .kubectl(&[
            "label",
            "namespace",
            "highwater",
            "pod-security.kubernetes.io/enforce-",
        ])
        .unwrap();

    tools.helm("install", &[]).unwrap();
    let refused = tools.helm("upgrade", &ALONGSIDE).unwrap_err();
    assert!(refused.contains("these are Highwater's own"), "{refused}");
}
