use serde_json::json;
use units::Bytes;

use super::PostgresAutoscaler;

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
    assert_eq!(storage.upper_bound.as_ref().unwrap().bytes(), Ok(Bytes::GIB));
    assert_eq!(storage.expansion_mode.as_ref().unwrap().as_str(), "Sideways");
    assert_eq!(
        object.spec.ops_request_options.unwrap().apply.unwrap().as_str(),
        "Sometimes"
    );
    assert_eq!(object.status.unwrap().phase.unwrap().as_str(), "Dreaming");
}
