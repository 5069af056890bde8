//! The files of `examples/`, as `kubectl apply -f` would take them, in a namespace of the test's own.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{Managed, Objects, tools::repository};

/// The objects of one file, in its order, as they stand there.
///
/// # Errors
/// When the file is missing or no YAML.
pub fn read(file: &str) -> anyhow::Result<Vec<Value>> {
    let path = repository().join("examples").join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_multiple(&text).with_context(|| format!("parse {}", path.display()))
}

/// The one object of a file.
///
/// # Errors
/// As [`read`], and when there are several.
pub fn only(file: &str) -> anyhow::Result<Value> {
    let [object] = <[Value; 1]>::try_from(read(file)?)
        .map_err(|all| anyhow::anyhow!("{file} has {} objects", all.len()))?;
    Ok(object)
}

impl Managed {
    /// Applies a file with a Postgres, and what else is in it, to this namespace.
    ///
    /// # Errors
    /// The API server's refusal; a file without a Postgres.
    pub async fn example(objects: &Objects, file: &str) -> anyhow::Result<Managed> {
        let mut database = None;
        for object in read(file)? {
            if object["kind"] == "Postgres" {
                database = object["metadata"]["name"].as_str().map(str::to_owned);
            }
            here(objects, object).await?;
        }
        Ok(Managed {
            objects: objects.clone(),
            name: database.with_context(|| format!("{file} has no Postgres"))?,
        })
    }

    /// Applies a file with one object that names this database; returns the object's name.
    ///
    /// # Errors
    /// The API server's refusal; an object of another database.
    pub async fn also(&self, file: &str) -> anyhow::Result<String> {
        let object = only(file)?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        anyhow::ensure!(
            object["spec"]["databaseRef"]["name"] == self.name.as_str(),
            "{file}: {}",
            object["spec"]
        );
        here(&self.objects, object).await?;
        Ok(name)
    }
}

async fn here(objects: &Objects, mut object: Value) -> anyhow::Result<()> {
    object["metadata"]["namespace"] = json!(objects.namespace());
    objects.apply(&object).await.map(drop)
}
