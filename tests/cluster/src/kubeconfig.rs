//! Kubeconfig files that name their certificates by path. Written as JSON, which every reader of kubeconfigs takes as YAML.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;

/// Writes a kubeconfig for the user whose certificate is `<user>.crt` in the folder `pki`.
pub(crate) fn write(path: &Path, server: &str, pki: &Path, user: &str) -> Result<()> {
    let file = |name: &str, extension: &str| pki.join(format!("{name}.{extension}"));
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "highwater", "cluster": {"server": server, "certificate-authority": file("ca", "crt")}}],
        "users": [{"name": user, "user": {"client-certificate": file(user, "crt"), "client-key": file(user, "key")}}],
        "contexts": [{"name": "highwater", "context": {"cluster": "highwater", "user": user}}],
        "current-context": "highwater",
    });
    fs::write(path, format!("{config:#}\n")).with_context(|| format!("cannot write {}", path.display()))
}
