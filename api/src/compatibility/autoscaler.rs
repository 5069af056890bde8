//! `PostgresAutoscaler`.

use super::{By::Decider, Kind::Autoscaler, Row, Shape};

pub(super) const ROWS: &[Row] = &[
    Autoscaler.acted("spec.databaseRef", Decider, "the Postgres whose volumes grow"),
    Autoscaler.acted(
        "spec.opsRequestOptions.timeout",
        Decider,
        "copied to the requests that are made",
    ),
    Autoscaler.acted(
        "spec.opsRequestOptions.apply",
        Decider,
        "copied to Offline requests; Online ones carry Always, since a full database never becomes Ready, \
         unless the annotation highwater.dev/apply says IfReady",
    ),
    Autoscaler.acted(
        "spec.opsRequestOptions.maxRetries",
        Decider,
        "copied to the requests that are made",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.trigger",
        Decider,
        "On grows; a word other than On and Off is refused",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.usageThreshold",
        Decider,
        "1 to 99; default 80",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.scalingThreshold",
        Decider,
        "growth where no rule applies; default 50",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.scalingRules",
        Decider,
        "sorted when read, never written back, so that a later change of scalingThreshold has its effect",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.upperBound",
        Decider,
        "no volume is made larger",
    ),
    Autoscaler.acted(
        "spec.storage.postgres.expansionMode",
        Decider,
        "copied to the requests that are made",
    ),
    Autoscaler.harmless(
        "spec.compute",
        Shape::Object,
        "CPU and memory are not scaled; use a VerticalPodAutoscaler",
    ),
];
