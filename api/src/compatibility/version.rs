//! `PostgresVersion`.

use super::{By::Provisioner, Kind::Version, Row, Shape};

pub(super) const ROWS: &[Row] = &[
    Version.acted("spec.version", Provisioner, "version of PostgreSQL"),
    Version.acted("spec.distribution", Provisioner, "who built it"),
    Version.acted("spec.db", Provisioner, "the database's image"),
    Version.acted("spec.exporter", Provisioner, "kept for an exporter"),
    Version.acted("spec.securityContext", Provisioner, "who the database runs as"),
    Version.acted("spec.deprecated", Provisioner, "not for new databases"),
    Version.harmless("spec.endOfLife", Shape::Flag, "it is for information"),
    Version.harmless("spec.coordinator", Shape::Object, "Patroni takes its place"),
    Version.harmless("spec.initContainer", Shape::Object, "none is needed"),
    Version.harmless(
        "spec.podSecurityPolicies",
        Shape::Object,
        "Kubernetes has no PodSecurityPolicy any more",
    ),
    Version.harmless("spec.stash", Shape::Object, "no backup is made"),
    Version.harmless("spec.tls", Shape::Object, "connections are not encrypted"),
    Version.harmless(
        "spec.updateConstraints",
        Shape::Object,
        "versions are not updated",
    ),
    Version.harmless("spec.gitSyncer", Shape::Object, "initial data is not loaded"),
    Version.harmless("spec.archiver", Shape::Object, "no backup is made"),
    Version.harmless("spec.ui", Shape::Objects, "there is no user interface"),
    Version.harmless("spec.migrator", Shape::Object, "data is not migrated"),
];
