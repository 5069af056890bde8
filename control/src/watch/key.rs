//! The names of objects.

use std::fmt;

use arcstr::ArcStr;
use kube::core::ObjectMeta;

/// Names an object of a kind. Cheap to clone. The namespace of a cluster-scoped object is empty.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: ArcStr,
    /// Name.
    pub name: ArcStr,
}

impl Key {
    /// Names an object.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Names an object by words that are shared, not copied.
    #[must_use]
    pub fn sharing(namespace: &ArcStr, name: &ArcStr) -> Self {
        Self {
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }

    /// The same of a cluster-scoped object.
    #[must_use]
    pub fn of_cluster(name: &ArcStr) -> Self {
        Self::sharing(&ArcStr::new(), name)
    }

    /// Names another object of the same namespace, whose name the two then share.
    #[must_use]
    pub fn beside(&self, name: &str) -> Self {
        Self {
            namespace: self.namespace.clone(),
            name: name.into(),
        }
    }

    /// Names the object of this metadata.
    #[must_use]
    pub fn of(meta: &ObjectMeta) -> Self {
        Self::new(
            meta.namespace.as_deref().unwrap_or(""),
            meta.name.as_deref().unwrap_or(""),
        )
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        if namespace.is_empty() {
            f.write_str(name)
        } else {
            write!(f, "{namespace}/{name}")
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
