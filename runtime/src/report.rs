//! Telling an error in full: its own sentence and that of each of its sources, once each.
//!
//! Highwater's errors do not repeat their source in `Display`; whoever shows one to a person or a log walks
//! the chain with [`Chain`].

use std::{error::Error, fmt, fs::OpenOptions, io::Write, path::Path};

/// Longest message that kubelet takes from a container's termination log, in bytes
/// (`MaxContainerTerminationMessageLength` of Kubernetes' container runtime interface).
const TERMINATION_MESSAGE_MAX: usize = 4096;

/// Shows an error followed by its sources: `outer: middle: root`.
///
/// A source whose text the previous one already ends with is left out: foreign errors often repeat theirs.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            next = source.source();
        }
        Ok(())
    }
}

/// Reports the error that ends the process: to the log, and to the termination log if that file exists.
pub fn report(error: &anyhow::Error, termination_log: &Path) {
    let text = Chain(error.as_ref()).to_string();
    tracing::error!(error = %text, "ends by an error");
    if let Err(refusal) = write_termination(&text, termination_log) {
        // Outside Kubernetes there is no such file, and the cause is in the log anyway.
        tracing::debug!(file = %termination_log.display(), error = %refusal, "no termination log");
    }
}

/// Does not create the file: run by hand as root this would leave a file in /dev.
fn write_termination(text: &str, path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(truncated(text, TERMINATION_MESSAGE_MAX).as_bytes())
}

/// The longest prefix of `text` of at most `max` bytes that ends on a character boundary.
#[must_use]
pub fn truncated(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::{Chain, report, truncated};

    #[test]
    fn the_chain_names_every_cause_once() {
        let error = anyhow!("root").context("middle").context("outer");
        assert_eq!(Chain(error.as_ref()).to_string(), "outer: middle: root");
        let repeats = Err::<(), _>(anyhow!("root")).context("outer: root").unwrap_err();
        assert_eq!(Chain(repeats.as_ref()).to_string(), "outer: root");
    }

    #[test]
    fn truncation_respects_characters() {
        assert_eq!(truncated("größe", 3), "gr");
        assert_eq!(truncated("größe", 4), "grö");
        assert_eq!(truncated("ab", 9), "ab");
    }

    #[test]
    fn the_termination_log_is_written_but_never_made() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        std::fs::write(&there, "old and long").unwrap();
        report(&anyhow!("root").context("outer"), &there);
        assert_eq!(std::fs::read_to_string(&there).unwrap(), "outer: root");

        let absent = dir.path().join("absent");
        report(&anyhow!("root"), &absent);
        assert!(!absent.exists());
    }
}
