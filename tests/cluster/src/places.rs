//! Where things are: the repository, the user's cache, the other programs of the workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// The repository this program was built from.
pub fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// What is costly to make and the same for every clone: `$XDG_CACHE_HOME/highwater`, by default `~/.cache/highwater`.
///
/// Read from the environment because tests of every package need it and have no flags of their own; the Makefile has the same rule.
pub fn cache() -> PathBuf {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("highwater")
}

/// The state of the cluster that the Makefile starts.
pub fn default_state() -> PathBuf {
    repository().join("target/cluster")
}

/// Another program of this workspace, beside this one: Cargo puts them all into one folder, and tests into a folder below it.
pub fn program(name: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("cannot find this program")?;
    let candidates = this.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "{name} is not beside {}: cargo build --package {name}",
                this.display()
            )
        })
}
