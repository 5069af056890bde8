//! The cluster's processes on the host: started so that none can be lost, found again, ended.
//!
//! A process is ours by one of two proofs, and a number alone is neither: the record it wrote about itself before it became the
//! program (number and start time), or the mark in its environment, which its children inherit.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, getpid},
};

use crate::{control_plane::Launch, logs, state::State};

/// A variable in the environment of every process that ends with the cluster; its value is the state folder.
pub const MARK: &str = "HIGHWATER_CLUSTER";

/// Writes the record, then becomes the program in a session of its own; number and start time stay the same.
const SCRIPT: &str = r#"
set -e
record=$1; shift
read -r stat <"/proc/$$/stat"
printf '%s\n' "$stat" >"$record"
exec setsid "$@"
"#;

/// SIGKILL works at once but on a process that waits for a disk.
const END_DEADLINE: Duration = Duration::from_secs(20);

/// A process, told from every other that has or will have its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Identity {
    pid: i32,
    /// In clock ticks since the machine started.
    start: u64,
}

/// Starts a component: own session, own log, standard input closed.
pub(crate) fn start(state: &State, launch: &Launch) -> Result<()> {
    let path = state.log(launch.name);
    let log = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    let errors = log.try_clone().context("cannot share a log")?;
    let record = record(state, launch.name);
    let mut child = Command::new("sh")
        .args(["-c", SCRIPT, launch.name])
        .args([record.as_os_str(), launch.program.as_os_str()])
        .args(&launch.arguments)
        .env(MARK, state.folder())
        // The sidecars prefer it to their flag, and who has used a cluster has set it.
        .env_remove("KUBECONFIG")
        .current_dir(state.folder())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("cannot start {}", launch.name))?;
    let deadline = Instant::now() + END_DEADLINE;
    while recorded(state, launch.name).is_none() {
        let ended = child.try_wait().context("cannot ask for a process")?;
        if let Some(status) = ended.filter(|_| recorded(state, launch.name).is_none()) {
            bail!("{} did not start ({status}):\n{}", launch.name, logs::tail(&path));
        }
        if Instant::now() > deadline {
            bail!("{} did not start in {} s", launch.name, END_DEADLINE.as_secs());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Whether the component of this name runs.
pub(crate) fn runs(state: &State, component: &str) -> bool {
    recorded(state, component).is_some_and(is_alive)
}

/// Fails with the last words of the first of `components` that does not run.
pub(crate) fn require_running(state: &State, components: &[&'static str]) -> Result<()> {
    match components.iter().find(|component| !runs(state, component)) {
        Some(dead) => bail!("{dead} has died; it said last:\n{}", logs::tail(&state.log(dead))),
        None => Ok(()),
    }
}

/// Ends every process of the cluster on the host and says how many there were. Pods are not among them: see `control_groups`.
pub(crate) fn end_all(state: &State, trust_records: bool) -> Result<usize> {
    let deadline = Instant::now() + END_DEADLINE;
    let mut ended = Vec::new();
    loop {
        let mut alive = marked(state);
        if trust_records {
            alive.extend(
                all_recorded(state)
                    .into_iter()
                    .filter(|&identity| is_alive(identity)),
            );
        }
        if alive.is_empty() {
            return Ok(ended.len());
        }
        for identity in alive {
            if !ended.contains(&identity) {
                ended.push(identity);
                end(identity)?;
            } else if Instant::now() > deadline {
                bail!("process {} does not end", identity.pid);
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn end(identity: Identity) -> Result<()> {
    // Between the look and the signal lie microseconds, in which the kernel does not come round to the same number again.
    match kill(Pid::from_raw(identity.pid), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot end process {}", identity.pid)),
    }
}

fn record(state: &State, component: &str) -> std::path::PathBuf {
    state.path("records").join(component)
}

fn recorded(state: &State, component: &str) -> Option<Identity> {
    read_identity(&record(state, component)).map(|(identity, _)| identity)
}

fn all_recorded(state: &State) -> Vec<Identity> {
    let Ok(records) = fs::read_dir(state.path("records")) else {
        return Vec::new();
    };
    records
        .flatten()
        .filter_map(|record| read_identity(&record.path()))
        .map(|(identity, _)| identity)
        .collect()
}

/// Processes that carry the mark of this cluster, without this one.
fn marked(state: &State) -> Vec<Identity> {
    let mut mark = format!("{MARK}=").into_bytes();
    mark.extend_from_slice(state.folder().as_os_str().as_encoded_bytes());
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter(|process| {
            fs::read(process.path().join("environ")).is_ok_and(|environment| {
                environment
                    .split(|&byte| byte == 0)
                    .any(|variable| variable == mark)
            })
        })
        .filter_map(|process| read_identity(&process.path().join("stat")))
        .filter(|&(identity, ended)| !ended && identity.pid != getpid().as_raw())
        .map(|(identity, _)| identity)
        .collect()
}

fn is_alive(identity: Identity) -> bool {
    let now = read_identity(Path::new(&format!("/proc/{}/stat", identity.pid)));
    now.is_some_and(|(now, ended)| now == identity && !ended)
}

fn read_identity(stat: &Path) -> Option<(Identity, bool)> {
    parse_stat(&fs::read_to_string(stat).ok()?)
}

/// Number and start time out of a line of `/proc/<pid>/stat` (proc_pid_stat(5), fields 1 and 22), and whether the process has ended and
/// only waits to be asked about (field 3). The name, field 2, may hold anything, a parenthesis too.
fn parse_stat(stat: &str) -> Option<(Identity, bool)> {
    let pid = stat.split_whitespace().next()?.parse().ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    let ended = matches!(*fields.first()?, "Z" | "X");
    Some((
        Identity {
            pid,
            start: fields.get(19)?.parse().ok()?,
        },
        ended,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_hostile_name_is_read() {
        let line = "4242 (a) R 1 (b) S 1 4242 4242 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0\n";
        assert_eq!(
            parse_stat(line),
            Some((
                Identity {
                    pid: 4242,
                    start: 987_654
                },
                false
            ))
        );
        assert_eq!(
            parse_stat("4242 (x) Z 1 1 1 0 -1 1 1 0 0 0 0 0 0 0 20 0 1 0 7 0\n").map(|(_, ended)| ended),
            Some(true)
        );
        assert_eq!(parse_stat("4242 (x) S 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let me = read_identity(Path::new("/proc/self/stat")).unwrap().0;
        assert!(is_alive(me));
        assert!(!is_alive(Identity {
            start: me.start + 1,
            ..me
        }));
    }
}
