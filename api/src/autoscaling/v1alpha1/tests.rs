use serde_json::json;
use units::{Bytes, Growth};

use super::{PolicyError, PostgresAutoscaler, StorageAutoscalerSpec};

fn read(storage: serde_json::Value) -> StorageAutoscalerSpec {
    serde_json::from_value(storage).unwrap()
}

#[test]
fn what_is_left_out_has_the_defaults_also_without_a_schema() {
    let storage = read(json!({}));
    assert_eq!(storage.is_on(), Ok(false));
    assert_eq!(storage.usage_threshold().unwrap().get(), 80);
    assert_eq!(storage.scaling_threshold(), Ok(Growth::Percent(50)));
    assert!(storage.rules().unwrap().is_empty());
    assert_eq!(storage.upper_bound(), Ok(None));
}

#[test]
fn what_a_definition_without_rules_let_through_is_named() {
    for (storage, error) in [
        (json!({"trigger": "on"}), "trigger \"on\""),
        (json!({"usageThreshold": 0}), "usageThreshold 0"),
        (json!({"usageThreshold": 100}), "usageThreshold 100"),
        (json!({"scalingThreshold": -1}), "scalingThreshold -1"),
        (
            json!({"scalingRules": [{"appliesUpto": "500GB", "threshold": "1Gi"}]}),
            "scalingRules[0].appliesUpto: \"500GB\"",
        ),
        (
            json!({"upperBound": "500GB"}),
            "upperBound: \"500GB\" is not a Kubernetes quantity; write 500G or 500Gi",
        ),
        (json!({"upperBound": 0}), "upperBound is 0"),
    ] {
        let storage = read(storage);
        let errors: Vec<PolicyError> = [
            storage.is_on().err(),
            storage.usage_threshold().err(),
            storage.scaling_threshold().err(),
            storage.rules().err(),
            storage.upper_bound().err(),
        ]
        .into_iter()
        .flatten()
        .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].to_string().starts_with(error), "{}", errors[0]);
    }
}

#[test]
fn a_kubedb_object_with_unknown_fields_and_words_reads() {
    let object: PostgresAutoscaler = serde_json::from_value(json!({
        "apiVersion": "autoscaling.kubedb.com/v1alpha1", "kind": "PostgresAutoscaler",
        "metadata": {"name": "a", "namespace": "demo"},
        "spec": {
            "databaseRef": {"name": "db", "kind": "Postgres"},
            "opsRequestOptions": {"apply": "Sometimes", "maxRetries": 3, "timeout": "10m", "new": 1},
            "storage": {"postgres": {"trigger": "On", "upperBound": 1073741824, "expansionMode": "Sideways", "interval": "1m"}},
            "compute": {"postgres": {"trigger": "On"}}
        },
        "status": {"phase": "Dreaming", "vpas": [], "conditions": [{"type": "X", "status": "True"}]}
    }))
    .unwrap();
    let storage = object.spec.data_storage().unwrap();
    assert_eq!(storage.upper_bound(), Ok(Some(Bytes::GIB)));
    assert_eq!(storage.expansion_mode.as_ref().unwrap().as_str(), "Sideways");
    assert_eq!(
        object.spec.ops_request_options.unwrap().apply.unwrap().as_str(),
        "Sometimes"
    );
    assert_eq!(object.status.unwrap().phase.unwrap().as_str(), "Dreaming");
}
