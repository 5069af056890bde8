//! A kind of our own whose schema lets everything through, so that malformed objects can be made.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, CustomResource,
    api::{DynamicObject, PostParams},
    core::ApiResource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What we read of a widget.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, CustomResource)]
#[kube(
    group = "test.highwater.dev",
    version = "v1",
    kind = "Widget",
    namespaced,
    schema = "disabled"
)]
pub(crate) struct WidgetSpec {
    pub(crate) size: u32,
}

/// Installs the kind under another group for each test that must see it arrive.
pub(crate) async fn install(client: &Client, group: &str) {
    let crd: CustomResourceDefinition = serde_json::from_value(json!({
        "metadata": { "name": format!("widgets.{group}") },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                } },
            }],
        },
    }))
    .unwrap();
    Api::all(client.clone())
        .create(&PostParams::default(), &crd)
        .await
        .unwrap();
}

/// The widgets of a namespace without a look at what they hold.
pub(crate) fn raw(client: &Client, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<Widget>(&()))
}

/// A widget, well-formed or not.
pub(crate) fn widget(name: &str, spec: &Value) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "test.highwater.dev/v1",
        "kind": "Widget",
        "metadata": { "name": name },
        "spec": spec,
    }))
    .unwrap()
}
