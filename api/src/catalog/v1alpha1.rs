//! `PostgresVersion`: which images make up a version of PostgreSQL.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a version is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "catalog.kubedb.com",
    version = "v1alpha1",
    kind = "PostgresVersion",
    plural = "postgresversions",
    singular = "postgresversion",
    shortname = "pgversion",
    category = "catalog",
    category = "kubedb",
    category = "appscode",
    derive = "PartialEq",
    derive = "Default",
    doc = "A version of PostgreSQL and its images.",
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
    printcolumn(name = "Distribution", type_ = "string", json_path = ".spec.distribution"),
    printcolumn(name = "DB_IMAGE", type_ = "string", json_path = ".spec.db.image"),
    printcolumn(name = "Deprecated", type_ = "boolean", json_path = ".spec.deprecated"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("required" = ["version", "db"]))]
pub struct PostgresVersionSpec {
    /// Version of PostgreSQL, such as `16.4`.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub version: String,
    /// Who built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub distribution: Option<String>,
    /// The database's image.
    #[serde(default)]
    pub db: DatabaseImage,
    /// The metrics exporter's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exporter: Option<Image>,
    /// Who the database runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<VersionSecurity>,
    /// No longer to be used for new databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<bool>,
}

/// The database's image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["image"]))]
pub struct DatabaseImage {
    /// Reference of the image.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// The distribution inside, such as `alpine`.
    #[serde(rename = "baseOS", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub base_os: Option<String>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["image"]))]
pub struct Image {
    /// Reference of the image.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
}

/// Who the database runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionSecurity {
    /// Numeric user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
    /// The pod may name another user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_any_non_root: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PostgresVersion;

    #[test]
    fn a_catalog_object_reads() {
        let object: PostgresVersion = serde_json::from_value(json!({
            "apiVersion": "catalog.kubedb.com/v1alpha1", "kind": "PostgresVersion", "metadata": {"name": "18.3"},
            "spec": {"version": "18.3", "db": {"image": "x", "baseOS": "alpine"}, "securityContext": {"runAsUser": 70}, "tls": {}}
        }))
        .unwrap();
        assert_eq!(object.spec.db.base_os.as_deref(), Some("alpine"));
        assert_eq!(object.spec.security_context.unwrap().run_as_user, Some(70));
    }
}
