//! The custom resource definitions: the Rust types' schemas, completed from the table of fields.
//!
//! Everything here is computed from the types and the table; the files in `deploy/crds` are its output.

mod schema;
mod table;

pub use table::TableError;

use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::{
    compatibility::Kind,
    names::{LABEL_NAME, LABEL_OWNED_BY, OWNED_BY_HIGHWATER},
};

/// A definition could not be made; a defect of the types or the table, found by the tests.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The derived definition is not what this module expects.
    #[error("the derived definition has no {0}")]
    Shape(&'static str),
    /// The derived definition cannot be written as JSON.
    #[error("the derived definition cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// A row of the table does not fit the schema.
    #[error("a row of the table does not fit the schema")]
    Table(#[source] TableError),
}

/// All six definitions, by file name, in a fixed order.
pub fn all() -> Result<Vec<(String, Value)>, CrdError> {
    let mut crds = Vec::new();
    for kind in Kind::ALL {
        crds.push(of(kind)?);
    }
    crds.push(finish(crate::highwater::v1alpha1::StorageProfile::crd(), None)?);
    Ok(crds.into_iter().map(|crd| (file_name(&crd), crd)).collect())
}

/// The definition of one of KubeDB's kinds.
pub fn of(kind: Kind) -> Result<Value, CrdError> {
    let derived = match kind {
        Kind::Autoscaler => crate::autoscaling::v1alpha1::PostgresAutoscaler::crd(),
        Kind::Request => crate::ops::v1alpha1::PostgresOpsRequest::crd(),
        Kind::Postgres => crate::kubedb::v1::Postgres::crd(),
        Kind::Version => crate::catalog::v1alpha1::PostgresVersion::crd(),
        Kind::PetSet => crate::petset::v1::PetSet::crd(),
    };
    finish(derived, Some(kind))
}

/// `<group>_<plural>.yaml`, as Kubernetes' own generator names them.
fn file_name(crd: &Value) -> String {
    let text = |pointer: &str| {
        crd.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    format!("{}_{}.yaml", text("/spec/group"), text("/spec/names/plural"))
}

fn finish(derived: impl serde::Serialize, kind: Option<Kind>) -> Result<Value, CrdError> {
    let mut crd = serde_json::to_value(derived).map_err(CrdError::Json)?;
    let metadata = crd.get_mut("metadata").ok_or(CrdError::Shape("metadata"))?;
    metadata["labels"] = json!({ LABEL_NAME: "highwater", LABEL_OWNED_BY: OWNED_BY_HIGHWATER });
    metadata["annotations"] = json!({ "helm.sh/resource-policy": "keep" });
    let root = crd
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
        .ok_or(CrdError::Shape("schema"))?;
    schema::tidy(root);
    if let Some(kind) = kind {
        table::complete(root, kind).map_err(CrdError::Table)?;
    }
    schema::quantities(root);
    Ok(crd)
}

#[cfg(test)]
mod tests;
