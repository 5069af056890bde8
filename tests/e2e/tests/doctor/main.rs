//! `kubectl highwater doctor` while the real installation is broken, one part after the other: it names what is wrong, and no
//! longer once that is mended.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use e2e::{Database, Shape, World, scenario, wait::PATIENCE};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::{Value, json};

/// No executors, and those that were taken away.
const AWAY: &str = "-n highwater scale deployment/highwater-executor --replicas=0";
const BACK: &str = "-n highwater scale deployment/highwater-executor --replicas=2";
/// Beyond it doctor names a request that is not done.
const A_QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(15 * 60);

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
        by: &[AWAY],
        mended_by: &[BACK],
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

/// Doctor as it is asked: until it says what is wanted.
struct Doctor<'a> {
    world: &'a World,
    /// How far the time of day of whoever asks is off.
    clock: Option<&'a str>,
    patience: Duration,
}

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

#[tokio::test]
#[ignore = "takes a quarter of an hour: see make test-long"]
async fn a_request_that_nobody_carries_out_is_named_after_a_quarter_of_an_hour() {
    scenario("doctor-late", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let outcome = nobody_carries_out(&world, &db).await;
        run(&world, &[BACK]).await?;
        world.deploy("install.sh").await?; // as above
        outcome?;
        db.settled(&world).await?;
        Doctor::of(&world).says_all_is_sound().await
    })
    .await;
}

async fn one_after_the_other(world: &World) -> anyhow::Result<()> {
    let doctor = Doctor::of(world);
    doctor.says_all_is_sound().await?;
    for Break { by, mended_by, said } in BREAKS {
        run(world, by).await?;
        for wanted in said {
            doctor.says(wanted).await?;
        }
        run(world, mended_by).await?;
        doctor
            .says_all_is_sound()
            .await
            .with_context(|| format!("mended by {mended_by:?}"))?;
    }
    clock(world).await?;
    resizer(world).await?;
    run(world, &["delete priorityclass highwater"]).await?;
    doctor
        .says(&("priority class", "Fault", "PriorityClass highwater is missing"))
        .await
}

/// A machine whose clock is wrong, as long as it is.
async fn clock(world: &World) -> anyhow::Result<()> {
    for (off, words) in [("+1h", "clock is 36"), ("-1h", "clock is -35")] {
        let doctor = Doctor {
            clock: Some(off),
            ..Doctor::of(world)
        };
        doctor.says(&("clocks", "Warning", words)).await?;
    }
    Doctor::of(world).says(&("clocks", "Ok", "they agree")).await
}

/// The cluster's resizer runs without leader election: it has no Lease until one is made.
async fn resizer(world: &World) -> anyhow::Result<()> {
    let doctor = Doctor::of(world);
    doctor
        .says(&("resizers", "Warning", "no csi-resizer of loop.csi.highwater.dev"))
        .await?;
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), "highwater");
    let name = "external-resizer-loop-csi-highwater-dev";
    let lease = serde_json::from_value(json!({
        "metadata": {"name": name}, "spec": {"holderIdentity": "resizer-1"},
    }))?;
    leases.create(&PostParams::default(), &lease).await?;
    let seen = doctor.says(&("resizers", "Ok", "")).await;
    leases.delete(name, &DeleteParams::default()).await?;
    seen
}

/// A request of the autoscaler, and no executor for longer than a driver's own rounds take.
async fn nobody_carries_out(world: &World, db: &Database) -> anyhow::Result<()> {
    run(world, &[AWAY]).await?;
    Doctor::of(world)
        .says(&("processes", "Fault", "highwater-executor: 0 of 0 pods are ready"))
        .await?;
    db.volume(world).await?.fill_to(85.0)?;
    let doctor = Doctor {
        patience: A_QUARTER_OF_AN_HOUR + PATIENCE,
        ..Doctor::of(world)
    };
    doctor.says(&("requests", "Ok", "1 under way")).await?;
    let began = Instant::now();
    doctor.says(&("requests", "Fault", "is not done after")).await?;
    let after = began.elapsed();
    ensure!(after + PATIENCE > A_QUARTER_OF_AN_HOUR, "already after {after:?}");
    println!(
        "named {:.1} minutes after it was made",
        after.as_secs_f64() / 60.0
    );
    Ok(())
}

async fn run(world: &World, commands: &[&str]) -> anyhow::Result<()> {
    for command in commands {
        world.kubectl(&command.split(' ').collect::<Vec<_>>()).await?;
    }
    Ok(())
}

impl<'a> Doctor<'a> {
    fn of(world: &'a World) -> Self {
        Self {
            world,
            clock: None,
            patience: PATIENCE,
        }
    }

    /// Waits until it says this: check, state, and a part of the words.
    async fn says(&self, wanted: &(&str, &str, &str)) -> anyhow::Result<()> {
        self.until(&format!("{wanted:?}"), |findings, _| {
            findings.iter().any(|found| fits(found, wanted))
        })
        .await
    }

    /// Waits until nothing is wrong any more, by the words and by the exit code.
    async fn says_all_is_sound(&self) -> anyhow::Result<()> {
        self.until("nothing wrong", |findings, well| {
            well && findings
                .iter()
                .all(|f| f["state"] != "Fault" && f["state"] != "Unknown")
        })
        .await
    }

    /// It can only be polled; its exit code is told, too.
    async fn until(&self, what: &str, wanted: impl Fn(&[Value], bool) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let (said, well) = self.ask().await?;
            let findings: Vec<Value> =
                serde_json::from_str(&said).with_context(|| format!("no findings: {said:?}"))?;
            if findings.iter().any(|f| f["state"] == "Fault") == well {
                bail!("the exit code does not tell of a fault: {said}");
            }
            if wanted(&findings, well) {
                return Ok(());
            }
            if began.elapsed() > self.patience {
                bail!("not said: {what}, but {said}");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn ask(&self) -> anyhow::Result<(String, bool)> {
        let question = ["highwater", "doctor", "--output", "json"];
        match self.clock {
            None => self.world.kubectl_says(&question).await,
            Some(off) => self.world.kubectl_says_at(off, &question).await,
        }
    }
}

fn fits(found: &Value, (check, state, words): &(&str, &str, &str)) -> bool {
    found["check"] == *check
        && found["state"] == *state
        && found["text"].as_str().is_some_and(|t| t.contains(words))
}
