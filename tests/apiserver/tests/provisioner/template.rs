//! `spec.podTemplate`: what is followed, and what is refused with the field to correct.

use api::{kubedb::v1::Postgres, petset::v1::PetSet};
use serde_json::json;

use crate::{
    server::until,
    world::{DATABASE, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_are_matched_by_name_and_what_is_added_is_there() {
    let world = World::new().await;
    let test = async {
        world
            .postgres(json!({"podTemplate": {
                "metadata": {"annotations": {"scrape": "yes"}, "labels": {"tier": "gold"}},
                "controller": {"annotations": {"of": "the set"}},
                "spec": {
                    "nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}],
                    "containers": [
                        {"name": "postgres", "resources": {"limits": {"memory": "256Mi"}},
                            "env": [{"name": "TZ", "value": "UTC"}],
                            "volumeMounts": [{"name": "archive", "mountPath": "/archive"}]},
                        {"name": "pg-coordinator", "resources": {}},
                        {"name": "shipper", "image": "ship:1"}],
                    "volumes": [{"name": "archive", "emptyDir": {}}]}}}))
            .await;
        let set: PetSet = world.there(DATABASE).await;
        let template = &set.spec.template;
        let spec = &template["spec"];
        let names: Vec<_> = spec["containers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].clone())
            .collect();
        assert_eq!(names, ["postgres", "shipper"]);
        let postgres = &spec["containers"][0];
        assert_eq!(postgres["resources"], json!({"limits": {"memory": "256Mi"}}));
        let has = |list: &str, item: serde_json::Value| postgres[list].as_array().unwrap().contains(&item);
        assert!(has("env", json!({"name": "TZ", "value": "UTC"})));
        assert!(has(
            "volumeMounts",
            json!({"name": "archive", "mountPath": "/archive"})
        ));
        assert_eq!(
            spec["containers"][1]["securityContext"]["allowPrivilegeEscalation"],
            false
        );
        assert_eq!(spec["nodeSelector"]["disk"], "fast");
        assert_eq!(template["metadata"]["annotations"]["scrape"], "yes");
        assert_eq!(template["metadata"]["labels"]["tier"], "gold");
        assert_eq!(set.metadata.annotations.as_ref().unwrap()["of"], "the set");

        world
            .patch::<Postgres>(
                DATABASE,
                json!({"spec": {"podTemplate": {"spec": {"nodeSelector": null}}}}),
            )
            .await;
        until("the selector taken back", || async {
            let set: PetSet = world.find(DATABASE).await?;
            set.spec.template["spec"]
                .get("nodeSelector")
                .is_none()
                .then_some(())
        })
        .await;
    };
    world.with_controller(test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_break_a_member_is_refused_with_its_field() {
    let world = World::new().await;
    let test = async {
        world.postgres(json!({"podTemplate": {"spec": {}}})).await;
        world.there::<PetSet>(DATABASE).await;
        for (spec, words) in [
            (
                json!({"containers": [{"name": "postgres", "image": "mine"}]}),
                "image of container postgres",
            ),
            (
                json!({"containers": [{"name": "other"}]}),
                "container other needs an image",
            ),
            (
                json!({"volumes": [{"name": "data", "emptyDir": {}}]}),
                "volume name data is reserved",
            ),
            (
                json!({"securityContext": {"runAsUser": 70}}),
                "runAsUser 70 is not 999",
            ),
            (
                json!({"containers": [{"name": "postgres", "env": [{"name": "POSTGRES_PASSWORD", "value": "x"}]}]}),
                "POSTGRES_PASSWORD",
            ),
            (
                json!({"containers": [{"name": "postgres", "volumeMounts": [{"name": "a", "mountPath": "/var/pv/"}]}]}),
                "mount path /var/pv",
            ),
        ] {
            let patch = json!({"spec": {"podTemplate": {"spec": null}}});
            world.patch::<Postgres>(DATABASE, patch).await;
            world
                .patch::<Postgres>(DATABASE, json!({"spec": {"podTemplate": {"spec": spec}}}))
                .await;
            until(words, || async {
                let said = world.said("Failure", "True").await;
                said.message?.contains(words).then_some(())
            })
            .await;
        }
        world
            .patch::<Postgres>(DATABASE, json!({"spec": {"podTemplate": null}}))
            .await;
        world.unsaid("Failure").await;
    };
    world.with_controller(test).await;
}
