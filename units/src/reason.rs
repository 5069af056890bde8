//! The one enum of causes: every decision, hold, wait, refusal and failure a user can meet.
//!
//! A reason is the `reason` of a condition and an Event, the `reason` field of a log line, the label of a
//! metric and the word a command prints, so that all of them can be found with one search. What is particular
//! to an object (names, sizes, ages) goes into the message beside it; what a user can do about it is
//! [`Reason::remedy`].

mod provisioner;
mod table;

use provisioner::with_those_of_provisioner;
use table::reasons;

with_those_of_provisioner! {
    // === decider: holds, in the order in which `decide` asks ===
    /// The autoscaler's trigger is not `On`.
    TriggerOff => "set spec.storage.postgres.trigger to \"On\"",
    /// The autoscaler names a Postgres that does not exist.
    DatabaseNotFound => "create the Postgres, or correct spec.databaseRef.name",
    /// More than one autoscaler names the same Postgres; none of them acts.
    DuplicateAutoscaler => "keep one PostgresAutoscaler for this Postgres and delete the others",
    /// The autoscaler's spec holds a value that cannot be used.
    InvalidPolicy => "correct the field named in the message",
    /// Another controller also resizes a claim of this database.
    OtherController => "remove the other autoscaler's annotation or policy from the claim",
    /// The database has no bound claim, or no agent has ever measured one of its volumes.
    NotMeasured => "check that a Highwater agent runs on the pod's node and that the pod runs",
    /// The newest measurement is too old to act upon.
    Stale => "check the agent on the node named in the message",
    /// The filesystem is shared with other volumes: its size is not this claim's.
    SharedFilesystem => "use a storage class that gives each claim a filesystem of its own",
    /// The filesystem is mounted read-only: nothing fills it, and nothing can grow it.
    ReadOnly => "look for I/O errors in the kernel log of the node named in the message, repair the filesystem, then restart the pod",
    /// The claim's storage class does not allow expansion.
    NotExpandable => "set allowVolumeExpansion on the storage class, or move to one that has it",
    /// A VolumeExpansion request for this database is not finished.
    RequestOpen => "",
    /// The last request at this size failed; the next one waits a while.
    RequestFailed => "see why the request named in the message failed",
    /// A claim of this database is being resized.
    ResizeInFlight => "",
    /// The claim has grown, the filesystem seen by the agent has not yet.
    NotFollowed => "if it lasts, look at the pod's Events for FileSystemResizeFailed",
    /// Usage is under the threshold.
    BelowThreshold => "",
    /// The size is at the autoscaler's upperBound.
    AtUpperBound => "raise spec.storage.postgres.upperBound",
    /// The size is at the largest that the storage class can give.
    AtMaximumSize => "move the database to a storage class with larger volumes",
    /// The provider's modifications for now are used up.
    BudgetSpent => "wait for the time named in the message, or free space in the database",
    /// The namespace's quota or limit range leaves no room to grow.
    QuotaExceeded => "raise the ResourceQuota or LimitRange named in the message",
    /// Without an upperBound the volume grew too often or too far within a day.
    Runaway => "find out what fills the volume; set spec.storage.postgres.upperBound to allow more",
    /// The rules give no size larger than the present one.
    NoGrowth => "raise the threshold of the rule named in the message",
    /// The autoscaler is in shadow mode: decided, not done.
    Shadow => "remove the annotation highwater.dev/mode to let it act",

    // === decider: causes of growth ===
    /// Used space is above usageThreshold.
    ThresholdExceeded => "",
    /// Used inodes are above the inode threshold.
    InodesExceeded => "",
    /// At the present rate the volume is full before a later expansion could finish.
    TimeToFull => "",
    /// A request with `apply: IfReady` waits for a database whose full storage keeps it from being Ready; one with
    /// `apply: Always` takes its place.
    IfReadySuperseded => "",

    // === decider: what an agent said and was not believed ===
    /// A report names a volume that no claim is bound to.
    UnknownVolume => "",
    /// A report names a pod that is not known on that node, or does not mount the claim of the volume.
    UnknownPod => "if it lasts, check the decider's watches and who runs the agent on the node named in the message",
    /// A measurement contradicts itself, such as used above capacity.
    AbsurdSample => "look at the filesystem on the node named in the message",
    /// The node's clock is too far from the decider's.
    ClockSkew => "synchronise the clock of the node named in the message",
    /// A message on the wire breaks the protocol.
    BadMessage => "run the same Highwater version on agents and deciders",

    // === both: what happens to a request ===
    /// A request was created.
    CreateOpsRequest => "",
    /// A request could not be created.
    CreateFailed => "see the message",
    /// Re-applied manifests ask for less than the volumes already have.
    SpecBehind => "commit the value named in the message",
    /// No scaling rule applies to this size; scalingThreshold is used.
    RuleFallback => "add a rule with an empty appliesUpto",
    /// An annotation's value cannot be used; the default stays in force.
    InvalidAnnotation => "correct the annotation named in the message",

    // === executor: waits ===
    /// Another request of the same database runs first.
    Queued => "",
    /// `apply: IfReady` and the database is not Ready.
    DatabaseNotReady => "make the database Ready, or use apply: Always",
    /// The provisioner has not yet acknowledged the pause.
    AwaitingPause => "",
    /// No provisioner answered within five seconds; an Online expansion goes on without.
    ProvisionerNotAnswering => "check the provisioner",
    /// No provisioner ever wrote this Postgres: no acknowledgement is awaited.
    NoProvisioner => "",
    /// The storage driver is at work.
    Resizing => "",
    /// The device has grown; the node has yet to grow the filesystem.
    FileSystemPending => "",
    /// The claim is mounted nowhere: the filesystem grows at its next mount.
    FinishesAtNextMount => "",
    /// A member is being made and has to join and stream.
    Joining => "",
    /// A member that leads hands over to another.
    HandingOver => "",
    /// A member is being stopped for good.
    Leaving => "",
    /// A member is stopped, so that its volume can grow while detached.
    Detaching => "",
    /// The PetSet's controller has not yet acknowledged that a member is held.
    AwaitingHold => "check the PetSet controller, which is part of the provisioner",
    /// A pod is being stopped.
    Stopping => "if it lasts, look at the pod's finalizers and at its node",
    /// A member's pod is being replaced.
    Restarting => "",
    /// Kubelet changes the resources of a running pod.
    ResizingInPlace => "if it lasts, look at the pod's condition PodResizePending",
    /// The PetSet's controller has not yet seen the PetSet as it is now.
    PetSetNotAnswering => "check the PetSet controller, which is part of the provisioner",
    /// A step failed and is tried again.
    Retrying => "",
    /// The request gave way to a volume expansion of the same database.
    Yielded => "",

    // === executor: refusals and failures ===
    /// The size asked for is not larger than what is there.
    NotLarger => "ask for more than the present size",
    /// The request's spec cannot be used as it is.
    InvalidRequest => "create a new request with the field named in the message corrected",
    /// The request's type or mode is not supported.
    NotSupported => "see the table of supported requests in the documentation",
    /// The database has no claim to grow.
    NoClaims => "check the PetSet's volumeClaimTemplates and the claims' names",
    /// A claim is not bound, or is being deleted.
    ClaimNotBound => "wait for the claim to be bound, or delete the request",
    /// The driver says the size cannot be had.
    Infeasible => "ask for a smaller size, still above the present one",
    /// The driver only expands volumes that are not in use.
    InUse => "use mode: Offline",
    /// The provider refuses more modifications for now.
    RateLimited => "wait for the provider's window to pass",
    /// The storage behind the driver has no room left.
    PoolFull => "add storage to the pool behind the storage class, or free some",
    /// Nothing keeps the database from growing when it has to.
    CanGrow => "",
    /// A database that cannot grow is predicted to be full.
    FullSoon => "see the condition CanGrow for what keeps it from growing",
    /// PostgreSQL keeps write-ahead log that a slot or the archiver has not taken yet.
    WALRetained => "see the Postgres' condition WALRetained: growing alone does not end it",
    /// A volume has been at this stage for longer than its storage profile lets expect.
    Overdue => "look at the driver's log, or kubelet's; a StorageProfile's expectedDuration says what is usual",
    /// The driver answers with an error that may pass.
    DriverError => "look at the claim's Events and the driver's log",
    /// The node cannot grow the filesystem.
    NodeStepFailing => "look at the pod's Events and at the node's kernel log",
    /// No resizer answers for this claim's driver.
    NobodyResizes => "install the csi-resizer of the claim's driver, or see why it does not run",
    /// A step did not finish in time.
    DeadlineExceeded => "see the cause in the message; what has grown stays grown",
    /// The request was deleted while it ran.
    RequestDeleted => "",
    /// The API server refuses the write.
    Refused => "see the message",
    /// Patroni of no member answers, or its answer cannot be used.
    PatroniNotAnswering => "look at the members' pods and their logs",
    /// PostgreSQL of a member that runs does not answer.
    DatabaseNotAnswering => "look at the member's log; check the password in the auth Secret",
    /// A Secret of the database cannot be read, or lacks a key.
    CredentialsMissing => "restore the Secret named in the message; the provisioner makes one that is gone",
    /// No provisioner or PetSet makes the members of this database.
    Unmanaged => "remove the annotation highwater.dev/unmanaged, or change the members by hand",
    /// What is asked for is there already.
    NotDifferent => "ask for something that the database has not got",
    /// No member leads.
    NoLeader => "make the database elect a leader: see the members' logs",
    /// No remaining member has caught up with the one that is to go.
    NoneCaughtUp => "wait until a standby streams without lag, then create a new request",
    /// A member does not stream from the leader.
    NotStreaming => "look at the member's log; grow its volume if it is full",
    /// A claim that is to be used or deleted is not the one it should be.
    ClaimChanged => "see the message; nothing was deleted",
    /// What a stopped member had written is not proved to be elsewhere: its claim is kept.
    PositionNotReached => "compare its data with the leader's; delete the claim by hand when nothing is missing",
    /// A running pod cannot be resized: it is replaced instead.
    InPlaceRefused => "",
    /// A defect in Highwater; this object is left alone for a while.
    InternalError => "report it with the log lines of that time",

    // === executor: progress ===
    /// The request runs.
    Running => "",
    /// The Postgres object is paused for the request.
    PauseDatabase => "",
    /// The Postgres object is resumed.
    ResumeDatabase => "",
    /// The volumes have their new size.
    VolumeExpansion => "",
    /// The PetSet's claim template has the new size.
    UpdatePetSets => "",
    /// The PetSet is ready with the new claim template.
    ReadyPetSets => "",
    /// The Postgres spec has the new size.
    UpdateDatabase => "",
    /// Members were added.
    HorizontalScaleUp => "",
    /// Members were removed.
    HorizontalScaleDown => "",
    /// The number of members, or how they replicate, is changed.
    HorizontalScale => "",
    /// The members have been started again.
    Restart => "",
    /// The primary has been started again, after another member took over.
    RestartPrimary => "",
    /// The standbys have been started again.
    RestartSecondary => "",
    /// The members have other resources.
    VerticalScaling => "",
    /// The request is done.
    Successful => "",
    /// The request failed.
    Failed => "",
    /// The request was skipped.
    Skipped => "",
}

impl Reason {
    /// The reason of this word; `None` for a word of somebody else, or of a newer version.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Reason> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// What a volume says that is to grow.
    #[must_use]
    pub const fn is_trigger(self) -> bool {
        matches!(
            self,
            Self::ThresholdExceeded | Self::TimeToFull | Self::InodesExceeded
        )
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
