//! The words of the provisioner and its PetSet controller: the end of the list.

/// Makes the enum of the words before and these.
macro_rules! with_those_of_provisioner {
    ($($before:tt)*) => { reasons! {
    $($before)*

    // === PetSet controller: what it did, in the words of the StatefulSet controller ===
    /// A pod or claim was created.
    SuccessfulCreate => "",
    /// A pod or claim could not be created; it is tried again.
    FailedCreate => "see the message: a quota, an admission policy, or the template",
    /// A pod or claim was changed.
    SuccessfulUpdate => "",
    /// A pod or claim could not be changed; it is tried again.
    FailedUpdate => "see the message",
    /// A pod was deleted.
    SuccessfulDelete => "",
    /// A pod could not be deleted; it is tried again.
    FailedDelete => "see the message",

    // === PetSet controller: waits ===
    /// A pod is not made before its claim, which is being deleted, is gone.
    ClaimTerminating => "wait for the claim to be gone; if it stays, see which pod uses it",
    /// A claim is not bound yet, for the cause in the message.
    ClaimPending => "correct spec.storage.storageClassName (of a PetSet: its claim template), or see what the class's driver says",
    /// No node takes the pod.
    Unschedulable => "lower the resources in spec.podTemplate, tolerate the taints, or add a node where the volume can be",
    /// A container's image cannot be had.
    ImagePullFailed => "correct the image (of a Postgres: spec.db.image of its PostgresVersion), or the pull secret",
    /// A container cannot be set up, for instance because a Secret is missing.
    ContainerConfigFailed => "create what the message names",
    /// A container ends again and again.
    ContainerFailing => "look at the container's log: kubectl logs --previous",
    /// An ordinal is left alone for a request.
    Held => "",
    /// A hold that does not count any more stands in the PetSet's annotation.
    HoldOver => "the executor removes it; if it does not run, remove the annotation highwater.dev/hold",

    // === provisioner: databases ===
    /// The provisioner has begun to make the database.
    DatabaseProvisioningStartedSuccessfully => "",
    /// All members are ready, and all standbys stream.
    AllReplicasReady => "",
    /// A member is missing or not ready.
    SomeReplicasNotReady => "see the member named in the message",
    /// The primary answers, and writes.
    DatabaseAcceptingConnectionRequest => "",
    /// No primary answers, or it cannot write.
    DatabaseNotAcceptingConnectionRequest => "see the cause in the message",
    /// The database is healthy.
    ReadinessCheckSucceeded => "",
    /// The database is not healthy.
    ReadinessCheckFailed => "see the cause in the message",
    /// The database was complete for the first time.
    DatabaseSuccessfullyProvisioned => "",
    /// The database is stopped; its claims and Secrets are kept.
    DatabaseHaltedSuccessfully => "set spec.halted to false to start it again",
    /// The pods of a database that is to be stopped have not ended yet.
    Halting => "",
    /// A member runs and does not stream from the primary.
    MemberNotStreaming => "see its log; if its volume was full and has grown, delete its pod; if its timeline has diverged, reinitialize it",
    /// A volume is full: PostgreSQL cannot write.
    VolumeFull => "create a PostgresOpsRequest of type VolumeExpansion with apply: Always, or wait for the autoscaler",
    /// No PostgresVersion of the name in spec.version.
    VersionNotFound => "write the name of a PostgresVersion: kubectl get postgresversions",
    /// An object of a name that the database needs belongs to somebody else.
    ObjectNotOurs => "rename or remove the object named in the message, or give the database another name",
    /// The Secret with the superuser's password lacks a key, or names another user.
    AuthSecretInvalid => "write the keys username (postgres) and password into the Secret named in the message",
    /// Something that the spec names does not exist.
    ReferenceNotFound => "create the object named in the message, or leave the field out",
    /// Lines of user.conf cannot be used; the others are in force.
    ConfigurationInvalid => "correct the lines named in the message",
    /// spec.podTemplate or a service template holds what cannot be used.
    TemplateInvalid => "correct the field named in the message",
    /// Pods cannot be made.
    PodsNotMade => "see the message of the PetSet's condition",
    /// The spec asks for what only a PostgresOpsRequest does.
    RequestNeeded => "create the PostgresOpsRequest named in the message",
    /// A replication slot that nobody reads keeps WAL.
    SlotRetainsWal => "bring the slot's standby back, or drop the slot",
    /// archive_command fails, so WAL is kept.
    ArchiverFailing => "repair the archive named by archive_command",
    /// The pod said that it was the primary, and Patroni's store names another: its role label is taken off.
    RoleTaken => "",
    /// The database is being deleted and waits.
    DeletionWaits => "see the message",
    /// A request has stopped the provisioner for this database.
    Paused => "",
    } };
}

pub(super) use with_those_of_provisioner;
