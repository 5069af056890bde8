//! `Postgres`.

use super::{
    By::{Executor, Provisioner},
    Kind::Postgres,
    Row, Shape,
    When::{Is, IsNot},
};

/// An object of any content that also has typed fields, added by later rows.
const OPEN: Shape =
    Shape::Json(r#"{"type":"object","properties":{},"x-kubernetes-preserve-unknown-fields":true}"#);
const AUTH_SECRET: Shape = Shape::Json(
    r#"{"type":"object","properties":{"kind":{"type":"string","maxLength":63,"default":"Secret"}},
    "x-kubernetes-preserve-unknown-fields":true}"#,
);
const VOLUME_MODE: Shape = Shape::Json(r#"{"type":"string","maxLength":16}"#);
const HEALTH: Shape = Shape::Json(
    r#"{"type":"object","default":{"periodSeconds":10,"timeoutSeconds":10,"failureThreshold":1},"properties":{
    "periodSeconds":{"type":"integer","format":"int32","minimum":1,"default":10},
    "timeoutSeconds":{"type":"integer","format":"int32","minimum":1,"default":10},
    "failureThreshold":{"type":"integer","format":"int32","minimum":1,"default":1},
    "disableWriteCheck":{"type":"boolean"}}}"#,
);
const CLIENT_AUTH: Shape = Shape::Json(r#"{"type":"string","enum":["md5","scram","cert"]}"#);
const SSL_MODE: Shape = Shape::Json(
    r#"{"type":"string","enum":["disable","allow","prefer","require","verify-ca","verify-full"]}"#,
);
const MODE: Shape = Shape::Json(r#"{"type":"string","enum":["Standalone","RemoteReplica","Cluster"]}"#);

pub(super) const ROWS: &[Row] = &[
    Postgres.acted("spec.version", Provisioner, "a PostgresVersion"),
    Postgres.acted("spec.replicas", Provisioner, "the number of members"),
    Postgres.acted("spec.standbyMode", Provisioner, "default Hot"),
    Postgres.acted("spec.streamingMode", Provisioner, "absent is Asynchronous"),
    Postgres.acted("spec.storageType", Provisioner, "default Durable; cannot be changed"),
    Postgres.acted("spec.storage.storageClassName", Provisioner, "the class of the claims"),
    Postgres.acted("spec.storage.accessModes", Provisioner, "of the claims"),
    Postgres.acted(
        "spec.storage.resources",
        Executor,
        "the claims' size; raised after a growth. A smaller value applied later shrinks nothing (condition SpecBehind)",
    ),
    Postgres.acted_as("spec.storage.selector", Shape::Object, Provisioner, "of the claims"),
    Postgres.acted_as("spec.storage.volumeName", Shape::Text, Provisioner, "of the claims"),
    Postgres.acted_as("spec.storage.volumeAttributesClassName", Shape::Text, Provisioner, "of the claims"),
    Postgres.acted_as("spec.storage.volumeMode", VOLUME_MODE, Provisioner, "Filesystem"),
    Postgres.dangerous_value("spec.storage.volumeMode", Is("Block"), Shape::Declared, "PostgreSQL needs volumeMode Filesystem"),
    Postgres.dangerous("spec.storage.dataSource", Shape::Object, "restore into the running database instead"),
    Postgres.dangerous("spec.storage.dataSourceRef", Shape::Object, "restore into the running database instead"),
    Postgres.acted("spec.halted", Provisioner, "stops the database, keeps claims and secrets"),
    Postgres.acted("spec.deletionPolicy", Provisioner, "default Delete"),
    Postgres.acted("spec.podTemplate", Provisioner, "containers are matched by name"),
    Postgres.acted_as("spec.authSecret", AUTH_SECRET, Provisioner, "the superuser's password"),
    Postgres.acted_as("spec.configSecret", Shape::Object, Provisioner, "key user.conf"),
    Postgres.acted_as("spec.configuration", Shape::Object, Provisioner, "settings of PostgreSQL"),
    Postgres.acted_as("spec.replication", Shape::Object, Provisioner, "how much WAL is kept for standbys"),
    Postgres.acted_as("spec.serviceTemplates", Shape::Objects, Provisioner, "alias primary, standby or stats"),
    Postgres.acted_as("spec.healthChecker", HEALTH, Provisioner, "default every 10 s"),
    Postgres.acted_as("spec.clientAuthMode", CLIENT_AUTH, Provisioner, "md5 or scram"),
    Postgres.dangerous_value("spec.clientAuthMode", Is("cert"), Shape::Declared, "write scram, or leave it out"),
    Postgres.acted_as("spec.sslMode", SSL_MODE, Provisioner, "disable"),
    Postgres.dangerous_value(
        "spec.sslMode",
        IsNot("disable"),
        Shape::Declared,
        "connections are not encrypted; write disable, or leave it out and terminate TLS in front of the database",
    ),
    Postgres.dangerous("spec.tls", Shape::Object, "connections are not encrypted; terminate TLS in front of the database"),
    Postgres.dangerous("spec.archiver", Shape::Object, "no backup would be made; run pg_basebackup or another archiver yourself"),
    Postgres.dangerous("spec.remoteReplica", Shape::Object, "the database would not follow its source; leave it out"),
    Postgres.harmless("spec.mode", MODE, "one member is standalone, several are a cluster"),
    Postgres.dangerous_value("spec.mode", Is("RemoteReplica"), Shape::Declared, "the database would not follow its source; leave it out"),
    Postgres.dangerous("spec.readReplicas", Shape::Objects, "none would be made; raise spec.replicas and read from the standbys"),
    Postgres.dangerous("spec.readReaplicas", Shape::Objects, "none would be made; raise spec.replicas and read from the standbys"),
    Postgres.dangerous("spec.distributed", Shape::Flag, "everything is made in this cluster; leave it out"),
    Postgres.dangerous(
        "spec.synchronousReplicationConfig",
        Shape::Object,
        "commits might be less safe than asked for; leave it out: streamingMode Synchronous waits for one standby",
    ),
    Postgres.acted_as("spec.init", OPEN, Provisioner, "only initialized, which says that nothing remains to be done"),
    Postgres.harmless("spec.init.initialized", Shape::Flag, "nothing is done at first start"),
    Postgres.dangerous("spec.init.script", Shape::Object, "it would not be run; run it with psql once the database is Ready"),
    Postgres.dangerous("spec.init.archiver", Shape::Object, "nothing would be restored; restore into the running database"),
    Postgres.dangerous(
        "spec.init.waitForInitialRestore",
        Shape::Flag,
        "nothing would be waited for; restore into the running database",
    ),
    Postgres.harmless("spec.leaderElection", Shape::Object, "Patroni elects the leader, with its own settings"),
    Postgres.harmless("spec.monitor", Shape::Object, "no exporter is added to the pods; deploy one beside them"),
    Postgres.harmless("spec.arbiter", Shape::Object, "Patroni needs none, also with an even number of members"),
    Postgres.harmless("spec.autoOps", Shape::Object, "no requests are recommended"),
    Postgres.harmless("spec.enforceFsGroup", Shape::Flag, "volumes must honour fsGroup"),
    Postgres.harmless("spec.allowedSchemas", Shape::Object, "there is no schema manager"),
];
