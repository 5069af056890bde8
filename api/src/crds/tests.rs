use serde_json::Value;

use super::{all, of};
use crate::compatibility::{Kind, rows};

fn schema(kind: Kind) -> Value {
    of(kind)
        .unwrap()
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .unwrap()
        .clone()
}

fn field<'a>(root: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(root, |schema, name| &schema["properties"][name])
}

#[test]
fn six_definitions_under_kubedbs_names() {
    let names: Vec<String> = all().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "autoscaling.kubedb.com_postgresautoscalers.yaml",
            "ops.kubedb.com_postgresopsrequests.yaml",
            "kubedb.com_postgreses.yaml",
            "catalog.kubedb.com_postgresversions.yaml",
            "apps.k8s.appscode.com_petsets.yaml",
            "highwater.dev_storageprofiles.yaml",
        ]
    );
}

#[test]
fn all_carry_the_owner_and_are_kept_by_helm() {
    for (name, crd) in all().unwrap() {
        assert_eq!(
            crd["metadata"]["labels"]["highwater.dev/owned-by"], "highwater",
            "{name}"
        );
        assert_eq!(
            crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep",
            "{name}"
        );
    }
}

#[test]
fn defaults_are_kubedbs_but_for_the_three_exceptions() {
    let autoscaler = schema(Kind::Autoscaler);
    for (path, default) in [
        ("spec.storage.postgres.trigger", serde_json::json!("Off")),
        ("spec.storage.postgres.usageThreshold", 80.into()),
        ("spec.storage.postgres.scalingThreshold", 50.into()),
        (
            "spec.opsRequestOptions",
            serde_json::json!({"apply": "IfReady", "maxRetries": 1}),
        ),
        ("spec.opsRequestOptions.apply", "IfReady".into()),
        ("spec.opsRequestOptions.maxRetries", 1.into()),
    ] {
        assert_eq!(field(&autoscaler, path)["default"], default, "{path}");
    }
    assert!(
        field(&autoscaler, "spec.storage.postgres.scalingRules")
            .get("default")
            .is_none()
    );
    let petset = schema(Kind::PetSet);
    assert_eq!(
        field(&petset, "spec.updateStrategy")["default"],
        serde_json::json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    );
    let retention = field(&petset, "spec.persistentVolumeClaimRetentionPolicy");
    assert_eq!(
        retention["default"],
        serde_json::json!({"whenDeleted": "Retain", "whenScaled": "Retain"})
    );
    assert_eq!(retention["properties"]["whenScaled"]["default"], "Retain");
    let postgres = schema(Kind::Postgres);
    assert_eq!(field(&postgres, "spec.authSecret.kind")["default"], "Secret");
    let request = schema(Kind::Request);
    assert_eq!(field(&request, "spec.verticalScaling.mode")["default"], "Restart");
    assert!(
        field(&request, "spec.horizontalScaling.standbyMode")
            .get("default")
            .is_none()
    );
    assert!(
        field(&request, "spec.horizontalScaling.streamingMode")
            .get("default")
            .is_none()
    );
}

#[test]
fn every_field_below_spec_is_in_the_table() {
    for kind in Kind::ALL {
        let schema = schema(kind);
        for name in schema["properties"]["spec"]["properties"]
            .as_object()
            .unwrap()
            .keys()
        {
            let path = format!("spec.{name}");
            let known = rows().any(|row| {
                row.kind == kind && (row.path == path || row.path.starts_with(&format!("{path}.")))
            });
            assert!(known, "{kind:?} {path} is declared and in no row");
        }
    }
}

/// Nothing that stems from tolerant reading reaches the API server.
#[test]
fn nothing_is_nullable_and_no_default_is_empty() {
    for (name, crd) in all().unwrap() {
        let text = crd.to_string();
        for trace in [
            "nullable",
            "\"default\":\"\"",
            "\"default\":[]",
            "\"default\":{}",
            "\"default\":0",
            "\"title\"",
        ] {
            assert!(!text.contains(trace), "{name} has {trace}");
        }
        let nulls = text.matches("null").count();
        assert_eq!(nulls, 0, "{name}");
    }
}

#[test]
fn every_rule_has_a_message_of_one_line() {
    fn walk(value: &Value, rules: &mut Vec<Value>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if key == "x-kubernetes-validations" {
                        rules.extend(value.as_array().unwrap().clone());
                    }
                    walk(value, rules);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, rules)),
            _ => {}
        }
    }
    let mut rules = Vec::new();
    for (_, crd) in all().unwrap() {
        walk(&crd, &mut rules);
    }
    assert!(rules.len() > 40, "{}", rules.len());
    for rule in rules {
        let message = rule["message"].as_str().unwrap();
        assert!(!message.contains('\n') && message.len() > 30, "{message}");
    }
}
