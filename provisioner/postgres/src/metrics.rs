//! What the controller counts: steps done, failures by class, checks by result.

use control::retry::RetryClass;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The controller's metrics; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    steps: Family<StepLabel, Counter>,
    failures: Family<ClassLabel, Counter>,
    checks: Family<ResultLabel, Counter>,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self {
            steps,
            failures,
            checks,
        } = &metrics;
        registry.register("postgres_steps", "Writes for databases, by step", steps.clone());
        registry.register(
            "postgres_failures",
            "Looks at databases that failed",
            failures.clone(),
        );
        registry.register("postgres_checks", "Health checks, by result", checks.clone());
        metrics
    }

    pub(crate) fn done(&self, step: &'static str) {
        self.steps.get_or_create(&StepLabel { step }).inc();
    }

    pub(crate) fn failed(&self, class: RetryClass) {
        let class = match class {
            RetryClass::Conflict => "Conflict",
            RetryClass::Transient => "Transient",
            RetryClass::Blocked(_) => "Blocked",
            RetryClass::Invalid => "Invalid",
            RetryClass::Bug => "Bug",
        };
        self.failures.get_or_create(&ClassLabel { class }).inc();
    }

    pub(crate) fn checked(&self, works: bool) {
        let result = if works { "works" } else { "fails" };
        self.checks.get_or_create(&ResultLabel { result }).inc();
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_provisioner");
        let metrics = Metrics::register(&mut registry);
        metrics.done("create");
        metrics.failed(RetryClass::Bug);
        metrics.checked(true);
        let page = include_str!("../../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "## Provisioner: databases")
        );
    }
}
