//! What the controller counts: steps done, steps refused, looks that failed.

use control::retry::RetryClass;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use provisioner_core::petset::Step;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

/// The controller's metrics; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    steps: Family<StepLabel, Counter>,
    refused: Family<StepLabel, Counter>,
    failures: Family<ClassLabel, Counter>,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self {
            steps,
            refused,
            failures,
        } = &metrics;
        registry.register("steps", "Writes done, by step", steps.clone());
        registry.register(
            "refused_steps",
            "Writes that the API server refused, by step",
            refused.clone(),
        );
        registry.register(
            "failures",
            "Looks that failed, by how they are repeated",
            failures.clone(),
        );
        metrics
    }

    pub(crate) fn done(&self, step: &Step) {
        self.steps.get_or_create(&StepLabel { step: step.name() }).inc();
    }

    pub(crate) fn refused(&self, step: &Step) {
        self.refused.get_or_create(&StepLabel { step: step.name() }).inc();
    }

    pub(crate) fn failed(&self, class: RetryClass) {
        let class = match class {
            RetryClass::Conflict => "conflict",
            RetryClass::Transient => "transient",
            RetryClass::Blocked(_) => "blocked",
            RetryClass::Invalid => "invalid",
            RetryClass::Bug => "bug",
        };
        self.failures.get_or_create(&ClassLabel { class }).inc();
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_provisioner");
        let metrics = Metrics::register(registry.sub_registry_with_prefix("petset"));
        let step = StepLabel { step: "CreatePod" };
        drop(metrics.steps.get_or_create(&step));
        drop(metrics.refused.get_or_create(&step));
        metrics.failed(RetryClass::Bug);
        let page = include_str!("../../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "## Provisioner: PetSets")
        );
    }
}
