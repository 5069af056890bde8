//! `Postgres`.

use super::{
    By::{Executor, Provisioner},
    Kind::Postgres,
    Row, Shape,
    When::{Is, IsNot},
};

const VOLUME_MODE: Shape = Shape::Json(r#"{"type":"string","maxLength":16}"#);
const SSL_MODE: Shape = Shape::Json(
    r#"{"type":"string","enum":["disable","allow","prefer","require","verify-ca","verify-full"]}"#,
);
const MODE: Shape = Shape::Json(r#"{"type":"string","enum":["Standalone","RemoteReplica","Cluster"]}"#);

pub(super) const ROWS: &[Row] = &[
    Postgres.acted("spec.version", Provisioner, "a PostgresVersion"),
    Postgres.acted("spec.replicas", Provisioner, "the number of members"),
    Postgres.acted(
        "spec.standbyMode",
        Provisioner,
        "default Hot; with Warm there is no Service for standbys (they answer all the same, Patroni needs that)",
    ),
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
    Postgres.acted("spec.authSecret", Provisioner, "the superuser's password"),
    Postgres.acted("spec.configSecret", Provisioner, "key user.conf"),
    Postgres.acted("spec.configuration", Provisioner, "settings of PostgreSQL"),
    Postgres.acted("spec.replication", Provisioner, "how much WAL is kept for standbys"),
    Postgres.acted("spec.serviceTemplates", Provisioner, "alias primary, standby or stats"),
    Postgres.acted("spec.healthChecker", Provisioner, "default every 10 s"),
    Postgres.acted("spec.clientAuthMode", Provisioner, "md5 or scram"),
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
    Postgres.acted("spec.init", Provisioner, "only script.configMap"),
    Postgres.harmless("spec.init.initialized", Shape::Flag, "the script runs when the first primary is made, and never again"),
    Postgres.acted("spec.init.script", Provisioner, "run on the first primary before anyone may connect; from a ConfigMap"),
    Postgres.dangerous("spec.init.script.secret", Shape::Object, "it would not be run; put the script into a ConfigMap"),
    Postgres.dangerous("spec.init.script.git", Shape::Object, "it would not be run; put the script into a ConfigMap"),
    Postgres.dangerous(
        "spec.init.script.persistentVolumeClaim",
        Shape::Object,
        "it would not be run; put the script into a ConfigMap",
    ),
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
