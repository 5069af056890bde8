//! Ends a process group and removes a folder as soon as this process is gone, however it goes.
//!
//! A shell waits for the end of its input, which the kernel closes when the last holder of the pipe dies: that includes SIGKILL and
//! a static that is never dropped. It is in a process group of its own, so that an interrupt typed at the terminal does not end it first.

use std::{
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

/// The last line read is the group to end; an empty one: none. Removed twice, because a dying process may still have written.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -KILL "-$group" 2>/dev/null
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

/// The waiting shell.
pub(crate) struct Watcher {
    shell: Child,
}

impl Watcher {
    /// Starts to watch over `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "watcher"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start the watcher")?;
        Ok(Self { shell })
    }

    /// Names the process group to end, or none any more.
    pub(crate) fn guard(&mut self, group: Option<u32>) -> Result<()> {
        let line = group.map(|group| group.to_string()).unwrap_or_default();
        let input = self.shell.stdin.as_mut().context("the watcher has no input")?;
        writeln!(input, "{line}").context("the watcher has died")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("cluster: cannot wait for the watcher: {error}");
        }
    }
}
