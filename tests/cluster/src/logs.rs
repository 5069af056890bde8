//! What a component said last, to be told when it has died.

use std::{fs, path::Path};

/// Enough to hold the message of a program that gives up, and its usage text's end at worst.
const LINES: usize = 12;

/// The last lines of a log, indented; a sentence when there are none.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return format!("  (nothing in {})", path.display());
    }
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
