//! Why there is no answer, and with which code the program ends then.

use std::{io, path::PathBuf};

/// What went wrong. The source is not part of the text; whoever prints it walks the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot use the kubeconfig; see --kubeconfig, --context and the variable KUBECONFIG")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    #[error("cannot make a client from the kubeconfig")]
    Client(#[source] kube::Error),
    #[error("cannot ask the API server for {what}")]
    Api {
        what: String,
        #[source]
        source: kube::Error,
    },
    #[error(
        "may not ask the deciders' view: get services/proxy of {service} in namespace {namespace} is forbidden; have an administrator bind \
         you to ClusterRole highwater-view"
    )]
    Forbidden {
        service: &'static str,
        namespace: String,
    },
    #[error(
        "there is no Service {service} in namespace {namespace}; is Highwater installed there? see --highwater-namespace, and `kubectl \
         highwater doctor`"
    )]
    NoService {
        service: &'static str,
        namespace: String,
    },
    #[error("no decider answers: {0}; `kubectl highwater doctor` looks for the cause")]
    NoDecider(String),
    #[error("the deciders' view answers with something else: {0}")]
    NotTheView(String),
    #[error("no answer within {0:?}; see --timeout")]
    TimedOut(std::time::Duration),
    #[error("{0}")]
    NotFound(String),
    #[error("cannot read {}: it has to be {wanted}", path.display())]
    Read {
        path: PathBuf,
        /// What belongs there.
        wanted: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("{}: {problem}", path.display())]
    Contents { path: PathBuf, problem: String },
    #[error("cannot write the answer")]
    Write(#[source] io::Error),
    #[error("cannot put the answer into this form")]
    Form(#[source] serde_json::Error),
    #[error("cannot put the answer into YAML: {0}")]
    Yaml(String),
    #[error("cannot start")]
    Runtime(#[source] io::Error),
}

impl Error {
    /// The code the program ends with; [`crate::args`] documents them.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 4,
            Self::Read { .. }
            | Self::Contents { .. }
            | Self::Write(_)
            | Self::Form(_)
            | Self::Yaml(_)
            | Self::Runtime(_) => 5,
            Self::Kubeconfig(_)
            | Self::Client(_)
            | Self::Api { .. }
            | Self::Forbidden { .. }
            | Self::NoService { .. }
            | Self::NoDecider(_)
            | Self::NotTheView(_)
            | Self::TimedOut(_) => 3,
        }
    }

    /// No decider answers now; one may in a moment, as after a restart.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::NoDecider(_) | Self::TimedOut(_))
    }

    /// Whoever reads the output has gone, as `head` does: no failure of ours.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert!(Error::Write(io::ErrorKind::BrokenPipe.into()).is_reader_gone());
        assert!(!Error::Write(io::ErrorKind::StorageFull.into()).is_reader_gone());
        assert_eq!(Error::NotFound(String::new()).code(), 4);
        assert_eq!(Error::NoDecider(String::new()).code(), 3);
    }
}
