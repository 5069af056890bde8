//! `PostgresOpsRequest`.

use super::{By::Executor, Kind::Request, Row, Shape, When::Is};

const TYPE: &str = "spec.type";
pub(super) const ROWS: &[Row] = &[
    Request.acted("spec.databaseRef", Executor, "the Postgres that is changed"),
    Request.acted(
        TYPE,
        Executor,
        "VolumeExpansion, HorizontalScaling, VerticalScaling and Restart are carried out",
    ),
    Request.dangerous_value(
        TYPE,
        Is("UpdateVersion"),
        Shape::Declared,
        "restore a dump into a Postgres of the new version",
    ),
    Request.dangerous_value(
        TYPE,
        Is("Reconfigure"),
        Shape::Declared,
        "change the settings in the database itself",
    ),
    Request.dangerous_value(
        TYPE,
        Is("ReconfigureTLS"),
        Shape::Declared,
        "terminate TLS in front of the database",
    ),
    Request.dangerous_value(
        TYPE,
        Is("RotateAuth"),
        Shape::Declared,
        "change the password with ALTER ROLE and in the Secret",
    ),
    Request.dangerous_value(
        TYPE,
        Is("ReconnectStandby"),
        Shape::Declared,
        "delete the standby's pod; Patroni reconnects it",
    ),
    Request.dangerous_value(
        TYPE,
        Is("ForceFailOver"),
        Shape::Declared,
        "use patronictl failover in a pod",
    ),
    Request.dangerous_value(
        TYPE,
        Is("SetRaftKeyPair"),
        Shape::Declared,
        "there is no raft store; leave it out",
    ),
    Request.dangerous_value(
        TYPE,
        Is("StorageMigration"),
        Shape::Declared,
        "restore a dump into a Postgres of the new storage class",
    ),
    Request.acted(
        "spec.volumeExpansion.postgres",
        Executor,
        "the new size of each data volume",
    ),
    Request.acted(
        "spec.volumeExpansion.mode",
        Executor,
        "Online leaves the pods running; Offline stops one member after the other, the primary last",
    ),
    Request.dangerous(
        "spec.volumeExpansion.arbiter",
        Shape::Quantity,
        "there is no arbiter; leave it out",
    ),
    Request.acted(
        "spec.horizontalScaling.replicas",
        Executor,
        "the number of members, 1 to 64; a Synchronous database needs 2",
    ),
    Request.acted(
        "spec.horizontalScaling.standbyMode",
        Executor,
        "absent leaves it as it is; KubeDB's default Hot is not applied",
    ),
    Request.acted(
        "spec.horizontalScaling.streamingMode",
        Executor,
        "absent leaves it as it is; KubeDB's default \
        Asynchronous, which would weaken a Synchronous database, is not applied",
    ),
    Request.dangerous(
        "spec.horizontalScaling.readReplicas",
        Shape::Objects,
        "raise horizontalScaling.replicas instead",
    ),
    Request.acted(
        "spec.verticalScaling.postgres.resources",
        Executor,
        "resources of each member's container postgres; what is not named is not kept",
    ),
    Request.harmless(
        "spec.verticalScaling.postgres.nodeSelectionPolicy",
        Shape::Text,
        "the pod template says where members run",
    ),
    Request.harmless(
        "spec.verticalScaling.postgres.topology",
        Shape::Object,
        "the pod template says where members run",
    ),
    Request.acted(
        "spec.verticalScaling.mode",
        Executor,
        "InPlace resizes running pods, where the API server and the node can; else, and with Restart, pods are replaced",
    ),
    Request.harmless(
        "spec.verticalScaling.exporter",
        Shape::Object,
        "there is no exporter container",
    ),
    Request.harmless(
        "spec.verticalScaling.coordinator",
        Shape::Object,
        "there is no coordinator container",
    ),
    Request.harmless(
        "spec.verticalScaling.arbiter",
        Shape::Object,
        "there is no arbiter",
    ),
    Request.dangerous(
        "spec.verticalScaling.readReplicas",
        Shape::Objects,
        "read replicas are not supported; leave it out",
    ),
    Request.acted_as(
        "spec.restart",
        Shape::Object,
        Executor,
        "for type Restart; it has no content",
    ),
    Request.acted("spec.timeout", Executor, "the most that one step may take; takes the place of what the StorageProfile lets each stage of a growth take"),
    Request.acted(
        "spec.apply",
        Executor,
        "IfReady waits for the database to be Ready, Always does not",
    ),
    Request.acted(
        "spec.maxRetries",
        Executor,
        "how often a failed request is tried again; default 1",
    ),
    Request.harmless(
        "spec.updateVersion",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.configuration",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.tls",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.authentication",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.reconnectStandby",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.forceFailOver",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.setRaftKeyPair",
        Shape::Object,
        "the type that reads it is not supported",
    ),
    Request.harmless(
        "spec.migration",
        Shape::Object,
        "the type that reads it is not supported",
    ),
];
