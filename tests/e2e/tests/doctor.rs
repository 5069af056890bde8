//! `kubectl highwater doctor` while the real installation is broken, one part after the other: it names what is wrong, and no
//! longer once that is mended.
//!
//! Two checks are left to the tests of cli, since a test cannot break what they look at: the clocks of machines, and requests
//! that are not done after a quarter of an hour.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use e2e::{Database, Shape, World, scenario, wait::PATIENCE};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::{Value, json};

/// One way to break an installation: the commands that do, those that mend it, and what doctor says in between.
struct Break {
    by: &'static [&'static str],
    mended_by: &'static [&'static str],
    /// Check, state, and a part of the words.
    said: &'static [(&'static str, &'static str, &'static str)],
}

const BREAKS: [Break; 7] = [
    Break {
        by: &["delete customresourcedefinition storageprofiles.highwater.dev"],
        mended_by: &["apply --server-side --field-manager=highwater-crds -f deploy/crds"],
        said: &[("definitions", "Fault", "storageprofiles.highwater.dev is missing")],
    },
    Break {
        by: &[
            "-n highwater patch daemonset highwater-agent -p {\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"no\":\"where\"}}}}}",
        ],
        mended_by: &["-n highwater rollout undo daemonset/highwater-agent"],
        said: &[
            ("processes", "Fault", "highwater-agent: 0 of 0 pods are ready"),
            ("agents", "Fault", "has no agent"),
        ],
    },
    Break {
        by: &["-n highwater set image deployment/highwater-executor *=highwater-executor:newer"],
        mended_by: &["-n highwater rollout undo deployment/highwater-executor"],
        said: &[("versions", "Warning", "the boxes run different images")],
    },
    Break {
        by: &["-n highwater scale deployment/highwater-executor --replicas=0"],
        mended_by: &["-n highwater scale deployment/highwater-executor --replicas=2"],
        said: &[
            ("leaders", "Fault", "no executor leads"),
            ("processes", "Fault", "highwater-executor: 0 of 0 pods are ready"),
        ],
    },
    Break {
        by: &[
            "-n highwater create deployment kubedb-autoscaler --image=none.invalid/none",
            "-n highwater label deployment kubedb-autoscaler app.kubernetes.io/name=kubedb-autoscaler",
        ],
        mended_by: &["-n highwater delete deployment kubedb-autoscaler"],
        said: &[("KubeDB", "Fault", "runs beside the decider")],
    },
    Break {
        by: &["patch storageclass loop-xfs -p {\"allowVolumeExpansion\":false}"],
        mended_by: &["patch storageclass loop-xfs -p {\"allowVolumeExpansion\":true}"],
        said: &[
            (
                "storage classes",
                "Fault",
                "StorageClass loop-xfs does not allow expansion",
            ),
            ("autoscalers", "Fault", "cannot grow: NotExpandable"),
        ],
    },
    Break {
        by: &["-n highwater scale deployment/highwater-decider --replicas=0"],
        mended_by: &["-n highwater scale deployment/highwater-decider --replicas=2"],
        said: &[
            ("view", "Fault", ""),
            ("leaders", "Fault", "no decider leads"),
            ("autoscalers", "Unknown", ""),
        ],
    },
];

#[tokio::test]
async fn what_is_broken_is_named_until_it_is_mended() {
    scenario("doctor", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let outcome = one_after_the_other(&world).await;
        world.deploy("install.sh").await?; // whatever happened, the other tests need it
        outcome
    })
    .await;
}

async fn one_after_the_other(world: &World) -> anyhow::Result<()> {
    sound(world).await?;
    for Break { by, mended_by, said } in BREAKS {
        run(world, by).await?;
        for wanted in said {
            told(world, wanted).await?;
        }
        run(world, mended_by).await?;
        sound(world)
            .await
            .with_context(|| format!("mended by {mended_by:?}"))?;
    }
    resizer(world).await?;
    run(world, &["delete priorityclass highwater"]).await?;
    told(
        world,
        &("priority class", "Fault", "PriorityClass highwater is missing"),
    )
    .await
}

/// The cluster's resizer runs without leader election: it has no Lease until one is made.
async fn resizer(world: &World) -> anyhow::Result<()> {
    told(
        world,
        &("resizers", "Warning", "no csi-resizer of loop.csi.highwater.dev"),
    )
    .await?;
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), "highwater");
    let name = "external-resizer-loop-csi-highwater-dev";
    let lease = serde_json::from_value(json!({
        "metadata": {"name": name}, "spec": {"holderIdentity": "resizer-1"},
    }))?;
    leases.create(&PostParams::default(), &lease).await?;
    let seen = told(world, &("resizers", "Ok", "")).await;
    leases.delete(name, &DeleteParams::default()).await?;
    seen
}

async fn run(world: &World, commands: &[&str]) -> anyhow::Result<()> {
    for command in commands {
        world.kubectl(&command.split(' ').collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Waits until doctor says this: check, state, and a part of the words.
async fn told(world: &World, wanted: &(&str, &str, &str)) -> anyhow::Result<()> {
    until(world, &format!("{wanted:?}"), |findings, _| {
        findings.iter().any(|found| says(found, wanted))
    })
    .await
}

/// Waits until nothing is wrong any more, by the words and by the exit code.
async fn sound(world: &World) -> anyhow::Result<()> {
    until(world, "nothing wrong", |findings, well| {
        well && findings
            .iter()
            .all(|f| f["state"] != "Fault" && f["state"] != "Unknown")
    })
    .await
}

/// Asks doctor, which can only be polled, until it says what is wanted; its exit code is told, too.
async fn until(world: &World, what: &str, wanted: impl Fn(&[Value], bool) -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let (said, well) = world
            .kubectl_says(&["highwater", "doctor", "--output", "json"])
            .await?;
        let findings: Vec<Value> =
            serde_json::from_str(&said).with_context(|| format!("no findings: {said:?}"))?;
        if findings.iter().any(|f| f["state"] == "Fault") == well {
            bail!("the exit code does not tell of a fault: {said}");
        }
        if wanted(&findings, well) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("not said: {what}, but {said}");
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn says(found: &Value, (check, state, words): &(&str, &str, &str)) -> bool {
    found["check"] == *check
        && found["state"] == *state
        && found["text"].as_str().is_some_and(|t| t.contains(words))
}
