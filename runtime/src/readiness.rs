//! Readiness: named gates, all of which must be open, and the words for those that are not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// The process's readiness; clones share it.
#[derive(Debug, Clone)]
pub struct Readiness {
    gates: Arc<Mutex<BTreeMap<String, State>>>,
    stopping: CancellationToken,
}

/// One thing that must be there before the process is ready; clones are the same gate.
///
/// Dropping a gate leaves it as it is: a task that ends does not make the process ready.
#[derive(Debug, Clone)]
pub struct Gate {
    gates: Arc<Mutex<BTreeMap<String, State>>>,
    name: String,
}

#[derive(Debug, Clone)]
enum State {
    Open,
    Closed(String),
}

impl Readiness {
    /// A readiness without gates, which falls for good when `stopping` is cancelled
    /// ([`Tasks::token`](crate::tasks::Tasks::token)).
    #[must_use]
    pub fn new(stopping: CancellationToken) -> Self {
        Self {
            gates: Arc::default(),
            stopping,
        }
    }

    /// Adds a gate, closed with the words `not yet`. A second gate of the same name is the same gate.
    #[must_use = "a gate that nobody opens keeps the process from being ready"]
    pub fn gate(&self, name: impl Into<String>) -> Gate {
        let name = name.into();
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates
            .entry(name.clone())
            .or_insert_with(|| State::Closed("not yet".to_owned()));
        drop(gates);
        Gate {
            gates: Arc::clone(&self.gates),
            name,
        }
    }

    /// What is missing, one line each in the order of the gates' names; empty when ready.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        if self.stopping.is_cancelled() {
            return vec!["shutting down".to_owned()];
        }
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates
            .iter()
            .filter_map(|(name, state)| match state {
                State::Open => None,
                State::Closed(reason) => Some(format!("{name}: {reason}")),
            })
            .collect()
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing().is_empty()
    }
}

impl Gate {
    /// Opens the gate.
    pub fn open(&self) {
        self.set(State::Open);
    }

    /// Closes the gate; `reason` is what `/ready` answers beside its name.
    pub fn close(&self, reason: impl Into<String>) {
        self.set(State::Closed(reason.into()));
    }

    fn set(&self, state: State) {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.insert(self.name.clone(), state);
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::Readiness;

    #[test]
    fn names_what_is_missing_until_all_gates_are_open() {
        let readiness = Readiness::new(CancellationToken::new());
        assert!(readiness.is_ready());
        let pods = readiness.gate("watching Pods");
        let claims = readiness.gate("watching claims");
        claims.close("the API server does not answer");
        assert_eq!(
            readiness.missing(),
            [
                "watching Pods: not yet",
                "watching claims: the API server does not answer"
            ]
        );
        pods.open();
        claims.clone().open();
        drop(claims);
        assert!(readiness.is_ready());
        pods.close("lost");
        assert_eq!(readiness.missing(), ["watching Pods: lost"]);
    }

    #[test]
    fn falls_when_stopping() {
        let token = CancellationToken::new();
        let readiness = Readiness::new(token.clone());
        token.cancel();
        assert_eq!(readiness.missing(), ["shutting down"]);
    }
}
