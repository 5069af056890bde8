//! Which volumes a rule is for, in one string, so that it is the same in JSON and in a flag.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// StorageClass-like parameter in which csi-provisioner's `--extra-create-metadata` gives the claim's name.
const CLAIM_NAME: &str = "csi.storage.k8s.io/pvc/name";
/// The same for the claim's namespace.
const CLAIM_NAMESPACE: &str = "csi.storage.k8s.io/pvc/namespace";

/// Selects volumes: `*`, a volume id, `namespace/claim`, `namespace/*`, or `key=value` of a creation parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// `*`
    #[default]
    All,
    /// A volume id, which is the PV's name.
    Volume(String),
    /// `namespace/claim`; needs `--extra-create-metadata` of csi-provisioner.
    Claim {
        /// The claim's namespace.
        namespace: String,
        /// The claim's name.
        name: String,
    },
    /// `namespace/*`
    Namespace(String),
    /// `key=value`: a parameter of the StorageClass.
    Parameter {
        /// The parameter's key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// What a selector looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The volume's id.
    pub volume: String,
    /// The parameters it was created with.
    pub parameters: BTreeMap<String, String>,
}

/// Why a text selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} selects no volume: write `*`, a PV name, `namespace/claim`, `namespace/*` or `key=value`")]
pub struct SelectorError {
    text: String,
}

// === impl Selector

impl Selector {
    /// Whether the rule is for this volume.
    pub fn matches(&self, subject: &Subject) -> bool {
        let is = |key: &str, wanted: &str| subject.parameters.get(key).is_some_and(|value| value == wanted);
        match self {
            Self::All => true,
            Self::Volume(id) => *id == subject.volume,
            Self::Claim { namespace, name } => is(CLAIM_NAMESPACE, namespace) && is(CLAIM_NAME, name),
            Self::Namespace(namespace) => is(CLAIM_NAMESPACE, namespace),
            Self::Parameter { key, value } => is(key, value),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SelectorError {
            text: text.to_owned(),
        };
        if text.is_empty() {
            return Err(wrong());
        }
        if text == "*" {
            return Ok(Self::All);
        }
        // First, because a parameter's key may hold a slash.
        if let Some((key, value)) = text.split_once('=') {
            return match key {
                "" => Err(wrong()),
                key => Ok(Self::Parameter {
                    key: key.to_owned(),
                    value: value.to_owned(),
                }),
            };
        }
        match text.split_once('/') {
            Some(("", _) | (_, "")) => Err(wrong()),
            Some((_, name)) if name.contains('/') => Err(wrong()),
            Some((namespace, "*")) => Ok(Self::Namespace(namespace.to_owned())),
            Some((namespace, name)) => Ok(Self::Claim {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            None => Ok(Self::Volume(text.to_owned())),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Volume(id) => f.write_str(id),
            Self::Claim { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::Namespace(namespace) => write!(f, "{namespace}/*"),
            Self::Parameter { key, value } => write!(f, "{key}={value}"),
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}
