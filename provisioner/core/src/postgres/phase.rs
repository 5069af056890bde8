//! The phase of a database from its conditions, as KubeDB's (kubedb/apimachinery `pkg/phase/phase.go`): first match wins.

/// State of a database in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Being made.
    Provisioning,
    /// Being restored.
    DataRestoring,
    /// Healthy.
    Ready,
    /// It serves, but a member is missing or lags.
    Critical,
    /// It does not serve.
    NotReady,
    /// Stopped by its owner.
    Halted,
    /// Nobody looks.
    Unknown,
}

impl Phase {
    /// The word as the API has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Provisioning => "Provisioning",
            Phase::DataRestoring => "DataRestoring",
            Phase::Ready => "Ready",
            Phase::Critical => "Critical",
            Phase::NotReady => "NotReady",
            Phase::Halted => "Halted",
            Phase::Unknown => "Unknown",
        }
    }
}

/// The phase; `condition` gives whether a condition of this type is True, or none if it is not there.
///
/// `None` when nothing has begun.
#[must_use]
pub fn phase(condition: impl Fn(&str) -> Option<bool>) -> Option<Phase> {
    if condition("HealthCheckPaused") == Some(true) {
        return Some(Phase::Unknown);
    }
    if condition("Halted") == Some(true) {
        return Some(Phase::Halted);
    }
    match (condition("DataRestoreStarted"), condition("DataRestored")) {
        (Some(true), None) => return Some(Phase::DataRestoring),
        (_, Some(false)) => return Some(Phase::NotReady),
        _ => {}
    }
    if condition("Provisioned") == Some(true) {
        if condition("AcceptingConnection") == Some(false) {
            return Some(Phase::NotReady);
        }
        if condition("ReplicaReady") == Some(false) {
            return Some(Phase::Critical);
        }
        match condition("Ready") {
            Some(false) => return Some(Phase::Critical),
            Some(true) => return Some(Phase::Ready),
            None => {}
        }
    }
    (condition("ProvisioningStarted") == Some(true)).then_some(Phase::Provisioning)
}
