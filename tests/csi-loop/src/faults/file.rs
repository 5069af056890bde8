//! `<state>/faults.json`: read whole, replaced whole by a rename, changed under a lock on `<state>/faults.lock`.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};
use thiserror::Error;

use super::{Faults, Rule};

/// Why the rules could not be read or changed.
#[derive(Debug, Error)]
pub enum FaultsError {
    /// The file cannot be read or replaced.
    #[error("cannot {action} {path}")]
    Io {
        /// `read`, `write` or `lock`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold fault rules; `csi-loop fault --state DIR clear` removes it")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The rule could never act.
    #[error("rule {rule:?} limits growth, which only ControllerExpand does: leave op out")]
    WithoutEffect {
        /// Its name.
        rule: String,
    },
    /// Two rules of one name.
    #[error("two rules are named {rule:?}")]
    SameName {
        /// The name.
        rule: String,
    },
}

/// A rule in force until this is dropped.
#[derive(Debug)]
#[must_use = "the rule is removed when this is dropped"]
pub struct Injected {
    state: PathBuf,
    name: String,
}

/// The rules in force; none when there is no file.
pub fn read(state: &Path) -> Result<Faults, FaultsError> {
    let path = rules_path(state);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Faults::default()),
        Err(source) => {
            return Err(FaultsError::Io {
                action: "read",
                path,
                source,
            });
        }
    };
    let faults: Faults =
        serde_json::from_slice(&text).map_err(|source| FaultsError::Malformed { path, source })?;
    faults.check()?;
    Ok(faults)
}

/// Replaces all rules. Tests beside others want [`add`] or [`inject`].
pub fn write(state: &Path, faults: &Faults) -> Result<(), FaultsError> {
    let _lock = lock(state)?;
    replace(state, faults)
}

/// Puts a rule in force, in the place of one of the same name.
pub fn add(state: &Path, rule: Rule) -> Result<(), FaultsError> {
    let _lock = lock(state)?;
    let mut faults = read(state)?;
    faults.put(rule);
    replace(state, &faults)
}

/// Ends a rule; whether it was in force.
pub fn remove(state: &Path, name: &str) -> Result<bool, FaultsError> {
    let _lock = lock(state)?;
    let mut faults = read(state)?;
    let found = faults.take(name);
    replace(state, &faults)?;
    Ok(found)
}

/// Ends all rules, also when the file is malformed.
pub fn clear(state: &Path) -> Result<(), FaultsError> {
    write(state, &Faults::default())
}

/// Puts a rule in force until the answer is dropped, by a panicking test too.
pub fn inject(state: &Path, rule: Rule) -> Result<Injected, FaultsError> {
    let name = rule.name.clone();
    add(state, rule)?;
    Ok(Injected {
        state: state.to_owned(),
        name,
    })
}

impl Drop for Injected {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.state, &self.name) {
            // Nobody is left to be told but the test's output; a panic here could end the whole test process.
            eprintln!("fault rule {:?} stays in force: {error}", self.name);
        }
    }
}

fn rules_path(state: &Path) -> PathBuf {
    state.join("faults.json")
}

fn lock(state: &Path) -> Result<Flock<File>, FaultsError> {
    let path = state.join("faults.lock");
    let fault = |source| FaultsError::Io {
        action: "lock",
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(fault)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| fault(errno.into()))
}

fn replace(state: &Path, faults: &Faults) -> Result<(), FaultsError> {
    faults.check()?;
    let path = rules_path(state);
    let fault = |source| FaultsError::Io {
        action: "write",
        path: path.clone(),
        source,
    };
    let text = serde_json::to_vec_pretty(faults).map_err(|error| fault(error.into()))?;
    // One name is enough: every writer holds the lock.
    let fresh = state.join("faults.json.new");
    let mut file = File::create(&fresh).map_err(fault)?;
    file.write_all(&text).map_err(fault)?;
    fs::rename(&fresh, &path).map_err(fault)
}
