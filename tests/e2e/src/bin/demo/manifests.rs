//! The objects of `examples/`, as `kubectl apply -f` would take them.

use e2e::examples::only;
use serde_json::Value;

/// The objects that the demo applies, in the order in which it does.
#[derive(Debug)]
pub(crate) struct Manifests {
    pub(crate) postgres: Value,
    pub(crate) autoscaler: Value,
    pub(crate) scale_up: Value,
    pub(crate) scale_down: Value,
}

/// Reads them.
///
/// # Errors
/// When a file is missing or no YAML.
pub(crate) fn read() -> anyhow::Result<Manifests> {
    Ok(Manifests {
        postgres: only("ha.yaml")?,
        autoscaler: only("autoscaled.yaml")?,
        scale_up: only("scale-up.yaml")?,
        scale_down: only("scale-down.yaml")?,
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_examples_fit_together() {
        let all = read().unwrap();
        let database = &all.postgres["metadata"]["name"];
        assert_eq!(all.postgres["spec"]["replicas"], 3);
        for other in [&all.autoscaler, &all.scale_up, &all.scale_down] {
            assert_eq!(&other["spec"]["databaseRef"]["name"], database);
            assert_eq!(
                other["metadata"]["namespace"],
                all.postgres["metadata"]["namespace"]
            );
        }
        assert_eq!(
            all.autoscaler["spec"]["storage"]["postgres"]["trigger"], "On",
            "a string, not YAML's boolean"
        );
        assert_eq!(all.scale_up["spec"]["horizontalScaling"]["replicas"], 5);
        assert_eq!(all.scale_down["spec"]["horizontalScaling"]["replicas"], 3);
    }
}
