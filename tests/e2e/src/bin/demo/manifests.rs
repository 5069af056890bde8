//! The objects of `examples/unmanaged`, as `kubectl apply -k` would take them.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

/// Reads every object that the folder's `kustomization.yaml` lists, in that order.
///
/// # Errors
/// When a file is missing or no YAML.
pub(crate) fn read() -> anyhow::Result<Vec<Value>> {
    let kustomization = parse("kustomization.yaml")?;
    let listed = kustomization["resources"]
        .as_array()
        .context("kustomization.yaml lists resources")?;
    listed.iter().filter_map(Value::as_str).map(parse).collect()
}

fn parse(file: &str) -> anyhow::Result<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/unmanaged")
        .join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("parse {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_examples_fit_together() {
        let objects = read().unwrap();
        let kinds: Vec<_> = objects.iter().map(|o| o["kind"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "Secret",
                "Service",
                "Postgres",
                "PetSet",
                "PersistentVolumeClaim",
                "Pod",
                "PostgresAutoscaler"
            ]
        );
        let pod = &objects[6];
        // The claim is the one that the PetSet would make for its member 0, and the pod mounts it.
        assert_eq!(objects[5]["metadata"]["name"], "data-shop-0");
        assert_eq!(
            pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"],
            "data-shop-0"
        );
        assert_eq!(
            objects[7]["spec"]["storage"]["postgres"]["trigger"], "On",
            "a string, not YAML's boolean"
        );
    }
}
