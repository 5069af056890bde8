//! A server with `helm` and `kubectl` that talk to it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use cluster::{
    apiserver::{self, ApiServer},
    binaries::{self, Binaries},
    places,
};
use serde_json::Value;
use tempfile::TempDir;

/// KubeDB's five definitions, which the chart brings only when standalone.
pub(crate) const SHARED: [(&str, &str, &str, &str); 5] = [
    ("kubedb.com", "postgreses", "Postgres", "v1"),
    (
        "catalog.kubedb.com",
        "postgresversions",
        "PostgresVersion",
        "v1alpha1",
    ),
    ("apps.k8s.appscode.com", "petsets", "PetSet", "v1"),
    (
        "autoscaling.kubedb.com",
        "postgresautoscalers",
        "PostgresAutoscaler",
        "v1alpha1",
    ),
    (
        "ops.kubedb.com",
        "postgresopsrequests",
        "PostgresOpsRequest",
        "v1alpha1",
    ),
];

/// `helm template`: the objects as one text, without any cluster.
pub(crate) fn render(more: &[&str]) -> Result<String, String> {
    let chart = places::repository().join("deploy/chart");
    let output = Command::new(binaries::helm().unwrap())
        .args(["template", "highwater", "--namespace", "highwater"])
        .arg(chart)
        .args(more)
        .output()
        .unwrap();
    outcome(&output)
}

/// What it printed, or what it complained of.
fn outcome(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

pub(crate) struct Tools {
    server: ApiServer,
    helm: PathBuf,
    bin: TempDir,
}

impl Tools {
    /// A fresh API server.
    pub(crate) fn start() -> Tools {
        let bin = TempDir::new().unwrap();
        // The program is whatever name it is called by.
        symlink(
            Binaries::ensure().unwrap().kubernetes(),
            bin.path().join("kubectl"),
        )
        .unwrap();
        let tools = Tools {
            server: apiserver::start().unwrap(),
            helm: binaries::helm().unwrap(),
            bin,
        };
        tools.kubectl(&["create", "namespace", "highwater"]).unwrap();
        tools
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", self.server.kubeconfig())
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.path().display()))
            .env("HOME", self.bin.path()) // discovery and Helm caches of this server alone
            .output()
            .unwrap();
        outcome(&output)
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(&self.bin.path().join("kubectl"), arguments)
    }

    /// `kubectl apply -f` of a manifest.
    pub(crate) fn apply(&self, manifest: &Value) {
        let file = self.bin.path().join("manifest.json");
        fs::write(&file, manifest.to_string()).unwrap();
        self.kubectl(&["apply", "-f", file.to_str().unwrap()]).unwrap();
    }

    /// `helm <verb> highwater <chart> -n highwater …`; does not wait for pods, which nobody makes here.
    pub(crate) fn helm(&self, verb: &str, more: &[&str]) -> Result<String, String> {
        let chart = places::repository().join("deploy/chart");
        let mut arguments = vec![verb, "highwater", "--namespace", "highwater"];
        if verb != "uninstall" && verb != "rollback" {
            arguments.insert(2, chart.to_str().unwrap());
        }
        arguments.extend(more);
        self.run(&self.helm, &arguments)
    }

    /// A script of the repository's `deploy` folder.
    pub(crate) fn script(&self, name: &str) -> Result<String, String> {
        self.run(&places::repository().join("deploy").join(name), &[])
    }

    /// Names and resourceVersions of all CRDs: equal before and after means that none was written.
    pub(crate) fn crds(&self) -> String {
        let columns = "custom-columns=N:.metadata.name,V:.metadata.resourceVersion,U:.metadata.uid";
        self.kubectl(&["get", "customresourcedefinitions", "--no-headers", "-o", columns])
            .unwrap()
    }

    /// Definitions of the same names as KubeDB's, made by someone else.
    pub(crate) fn install_foreign_crds(&self) {
        for (group, plural, kind, version) in SHARED {
            self.apply(&serde_json::json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("{plural}.{group}"), "labels": {"app.kubernetes.io/name": "kubedb"}},
                "spec": {
                    "group": group, "scope": "Namespaced",
                    "names": {"kind": kind, "plural": plural},
                    "versions": [{
                        "name": version, "served": true, "storage": true,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                    }],
                },
            }));
        }
    }
}
