//! The chart in the running cluster: what Pod Security says of its pods, and databases that live through its removal and return.
//! What it refuses is asked of an API server alone, in `tests/apiserver/tests/chart`.

use anyhow::{Context, ensure};
use e2e::{Database, Objects, Shape, World, objects::kinds, scenario};
use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment},
    core::v1::{Pod, PodTemplateSpec},
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The one installation: while one test removes it, no other may look at it.
static INSTALLATION: Mutex<()> = Mutex::const_new(());

/// Identity and version of everything that is a database's: equal before and after means that nobody wrote to it. Of the pod,
/// whose status kubelet refreshes on its own account, what others could have changed.
async fn versions(objects: &Objects, db: &Database) -> anyhow::Result<Vec<Value>> {
    let claim = objects.get(&kinds::CLAIM, &db.claim()).await?;
    let volume = claim["spec"]["volumeName"]
        .as_str()
        .context("the claim is bound")?
        .to_owned();
    let mut found = Vec::new();
    for (kind, name) in [
        (kinds::POSTGRES, db.name.as_str()),
        (kinds::PETSET, &db.name),
        (kinds::CLAIM, &db.claim()),
        (kinds::VOLUME, &volume),
    ] {
        let metadata = &objects.get(&kind, name).await?["metadata"];
        found.push(json!([
            name,
            metadata["uid"],
            metadata["resourceVersion"],
            metadata["generation"]
        ]));
    }
    let pod = objects.get(&kinds::POD, &db.pod()).await?;
    let (metadata, container) = (&pod["metadata"], &pod["status"]["containerStatuses"][0]);
    let meant =
        ["uid", "generation", "labels", "annotations", "finalizers"].map(|field| metadata[field].clone());
    found.push(json!([
        db.pod(),
        meant,
        pod["spec"],
        container["containerID"],
        container["restartCount"]
    ]));
    Ok(found)
}

#[tokio::test]
async fn databases_live_through_upgrade_rollback_removal_and_return() {
    let _alone = INSTALLATION.lock().await;
    scenario("install", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        let watched = |a: &Value| a["status"]["reason"] == "BelowThreshold";
        objects
            .until_some(&kinds::AUTOSCALER, &db.autoscaler(), "watched", watched)
            .await?;
        let before = versions(&objects, &db).await?;
        let crds = world.kubectl(&["get", "crds", "-o", "name"]).await?;

        let outcome = around(&world, &objects, &db, &before).await;
        world.deploy("install.sh").await?; // whatever happened, the other tests need it
        outcome?;

        assert_eq!(versions(&objects, &db).await?, before, "installed again");
        let after = world.kubectl(&["get", "crds", "-o", "name"]).await?;
        assert_eq!(after, crds);

        let volume = db.volume(&world).await?;
        let capacity = volume.space()?.capacity;
        volume.fill_to(81.0)?;
        volume.until_larger_than(capacity).await?;
        db.settled(&world).await?;
        Ok(())
    })
    .await;
}

/// Every change of the installation but its return; the database must not notice any.
async fn around(world: &World, objects: &Objects, db: &Database, before: &[Value]) -> anyhow::Result<()> {
    let history = world
        .helm(&["history", "highwater", "-n", "highwater", "-o", "json"])
        .await?;
    let history: Vec<Value> = serde_json::from_str(&history)?;
    let revision = &history.last().context("a release has a history")?["revision"];
    for change in [
        "upgrade highwater deploy/chart -n highwater --reuse-values --wait --set log.level=debug".to_owned(),
        format!("rollback highwater {revision} -n highwater --wait"),
        "uninstall highwater -n highwater --wait".to_owned(),
    ] {
        world.helm(&change.split(' ').collect::<Vec<_>>()).await?;
        let after = versions(objects, db).await?;
        ensure!(after == before, "after {change}: {after:?}; before: {before:?}");
    }
    Ok(())
}

/// A pod as the template would make it, but with the namespace's own service account.
fn pod_of(name: &str, template: PodTemplateSpec) -> anyhow::Result<Pod> {
    let mut spec = template.spec.context("a template has a spec")?;
    spec.service_account_name = None;
    spec.service_account = None;
    Ok(Pod {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        ..Pod::default()
    })
}

#[tokio::test]
async fn every_pod_but_the_agents_is_restricted() {
    let _alone = INSTALLATION.lock().await;
    scenario("restricted", async |world, objects| {
        let level = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
        objects
            .merge(&kinds::NAMESPACE, objects.namespace(), &level)
            .await?;
        let pods: Api<Pod> = Api::namespaced(world.client.clone(), objects.namespace());
        let dry = PostParams {
            dry_run: true,
            field_manager: None,
        };

        let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), "highwater");
        for name in ["highwater-decider", "highwater-executor", "highwater-provisioner"] {
            let template = deployments.get(name).await?.spec.context("a spec")?.template;
            pods.create(&dry, &pod_of(name, template)?)
                .await
                .with_context(|| format!("{name} is not restricted"))?;
        }
        let agents: Api<DaemonSet> = Api::namespaced(world.client.clone(), "highwater");
        let template = agents
            .get("highwater-agent")
            .await?
            .spec
            .context("a spec")?
            .template;
        let refused = pods
            .create(&dry, &pod_of("agent", template)?)
            .await
            .err()
            .context("a hostPath passed")?;
        let refused = refused.to_string();
        // The hostPath and nothing else: in every other respect the agent is restricted, too.
        assert!(refused.contains("hostPath"), "{refused}");
        for other in [
            "allowPrivilegeEscalation",
            "capabilities",
            "runAsNonRoot",
            "seccompProfile",
            "runAsUser=0",
        ] {
            assert!(!refused.contains(other), "{refused}");
        }
        Ok(())
    })
    .await;
}
