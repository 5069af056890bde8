//! Writes the generated files, from the root of the repository: `crdgen deploy/crds`.

use std::{fs, path::Path};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .context("name the folder of the definitions: crdgen deploy/crds")?;
    for (path, text) in api::files::all(&folder)? {
        let path = Path::new(&path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
