//! Where things are: the repository, the user's cache. The environment is read here and in `args.rs` alone.

use std::{
    env,
    path::{Path, PathBuf},
};

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
        .unwrap_or_else(|| env::temp_dir())
        .join("highwater")
}

/// The state of the cluster that the Makefile starts.
pub fn default_state() -> PathBuf {
    repository().join("target/cluster")
}
