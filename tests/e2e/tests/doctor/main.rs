//! `kubectl highwater doctor` while the real installation is broken, one part after the other: it names what is wrong, and no
//! longer once that is mended.

mod ask;
mod clocks;
mod resizers;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ask::Doctor;
use e2e::{Database, Shape, World, scenario, wait::PATIENCE};
use serde_json::json;

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
    clocks::are_told_apart(world).await?;
    resizers::are_seen_by_their_lease(world).await?;
    run(world, &["delete priorityclass highwater"]).await?;
    doctor
        .says(&("priority class", "Fault", "PriorityClass highwater is missing"))
        .await
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
