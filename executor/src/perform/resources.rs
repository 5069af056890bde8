//! Bodies that change the resources of the container `postgres`. In our kinds a list is written whole, everything else in it as
//! it came.

use api::{
    kubedb::v1::Postgres,
    names::{ANNOTATION_RESOURCES_BEFORE, CONTAINER_POSTGRES},
    petset::v1::PetSet,
};
use control::whole::Whole;
use executor_core::request::Resources;
use serde_json::{Value, json};

/// The pod template of a PetSet, and an annotation with what it said before.
pub(super) fn template(petset: &Whole<PetSet>, to: &Resources) -> Option<Value> {
    let mut containers = petset.at("/spec/template/spec/containers")?.clone();
    let before = put(&mut containers, to)?.to_string();
    Some(json!({
        "metadata": { "annotations": { ANNOTATION_RESOURCES_BEFORE: before } },
        "spec": { "template": { "spec": { "containers": containers } } }
    }))
}

/// `spec.podTemplate` of a Postgres, which may have said nothing of that container.
pub(super) fn pod_template(postgres: &Whole<Postgres>, to: &Resources) -> Value {
    let old = postgres.at("/spec/podTemplate/spec/containers");
    let mut containers = old.cloned().unwrap_or_else(|| json!([]));
    if put(&mut containers, to).is_none() {
        let container = json!({ "name": CONTAINER_POSTGRES, "resources": value(to) });
        match containers.as_array_mut() {
            Some(all) => all.push(container),
            None => containers = json!([container]),
        }
    }
    json!({ "spec": { "podTemplate": { "spec": { "containers": containers } } } })
}

/// A running pod; merged by the container's name.
pub(super) fn pod(to: &Resources) -> Value {
    json!({ "spec": { "containers": [{ "name": CONTAINER_POSTGRES, "resources": value(to) }] } })
}

/// Puts them into the container; gives those before.
fn put(containers: &mut Value, to: &Resources) -> Option<Value> {
    let mut all = containers.as_array_mut()?.iter_mut();
    let container = all.find(|container| container["name"] == CONTAINER_POSTGRES)?;
    let before = container["resources"].take();
    let mut after = before.clone();
    if !after.is_object() {
        after = json!({});
    }
    // `claims` of the container stay.
    for (key, list) in [("requests", &to.requests), ("limits", &to.limits)] {
        match (list.is_empty(), after.as_object_mut()) {
            (true, Some(after)) => drop(after.remove(key)),
            _ => after[key] = json!(list),
        }
    }
    container["resources"] = after;
    Some(if before.is_null() { json!({}) } else { before })
}

fn value(to: &Resources) -> Value {
    let mut value = json!({});
    for (key, list) in [("requests", &to.requests), ("limits", &to.limits)] {
        if !list.is_empty() {
            value[key] = json!(list);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use executor_core::request::Resources;
    use serde_json::{Value, json};

    use super::{pod_template, template};

    fn wanted() -> Resources {
        Resources {
            requests: BTreeMap::from([("cpu".to_owned(), "1".to_owned())]),
            limits: BTreeMap::new(),
        }
    }

    fn whole<T>(spec: Value) -> T
    where
        T: serde::de::DeserializeOwned,
    {
        serde_json::from_value(json!({"metadata": {"name": "db"}, "spec": spec})).unwrap()
    }

    #[test]
    fn a_template_keeps_all_else_and_what_was_before() {
        let containers = json!([
            {"name": "side", "resources": {"limits": {"cpu": "9"}}},
            {"name": "postgres", "image": "i", "resources": {"limits": {"memory": "1Gi"}, "claims": [{"name": "c"}]}},
        ]);
        let set = whole(json!({"template": {"spec": {"containers": containers}}}));
        let body = template(&set, &wanted()).unwrap();
        assert_eq!(
            body["spec"]["template"]["spec"]["containers"],
            json!([
                {"name": "side", "resources": {"limits": {"cpu": "9"}}},
                {"name": "postgres", "image": "i", "resources": {"requests": {"cpu": "1"}, "claims": [{"name": "c"}]}},
            ])
        );
        assert_eq!(
            body["metadata"]["annotations"]["highwater.dev/resources-before"],
            r#"{"claims":[{"name":"c"}],"limits":{"memory":"1Gi"}}"#
        );
        let none = whole(json!({"template": {"spec": {"containers": []}}}));
        assert_eq!(template(&none, &wanted()), None);
    }

    #[test]
    fn a_postgres_gets_what_it_lacks() {
        let container = json!([{"name": "postgres", "resources": {"requests": {"cpu": "1"}}}]);
        for spec in [
            json!({}),
            json!({"podTemplate": {}}),
            json!({"podTemplate": {"spec": {"containers": []}}}),
            json!({"podTemplate": {"spec": {"containers": [{"name": "postgres"}]}}}),
        ] {
            let body = pod_template(&whole(spec.clone()), &wanted());
            assert_eq!(
                body["spec"]["podTemplate"]["spec"]["containers"], container,
                "{spec}"
            );
        }
    }
}
