//! `user.conf` as PostgreSQL reads a configuration file, into settings by name.
//!
//! Each member's settings go through Patroni, so what must be read at a place of the file (`include`) cannot be had, and
//! what Patroni sets itself is left out. Every line that is left out is told.

use super::settings::Parameters;

/// What Patroni, or the way the pods are built, fixes.
const FIXED: [&str; 14] = [
    "archive_cleanup_command",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "ident_file",
    "listen_addresses",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "synchronous_standby_names",
    "unix_socket_directories",
];

/// The settings of a file, and what was left out, by line.
#[must_use]
pub fn parse(text: &str) -> (Parameters, Vec<String>) {
    let mut all = Parameters::new();
    let mut left_out = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match setting(line) {
            Ok(None) => {}
            Ok(Some((name, value))) => drop(all.insert(name, value)),
            Err(why) => left_out.push(format!("line {}: {why}", number + 1)),
        }
    }
    (all, left_out)
}

fn setting(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let name = name.to_ascii_lowercase();
    if name.is_empty() {
        return Err("no setting begins so".to_owned());
    }
    if name.starts_with("include") {
        return Err(format!("{name} cannot be used; write the settings here"));
    }
    if FIXED.contains(&name.as_str()) {
        return Err(format!("{name} is set by Highwater"));
    }
    let rest = rest.trim_start();
    let value = value(rest.strip_prefix('=').unwrap_or(rest).trim_start())?;
    Ok(Some((name, value)))
}

/// A word, or a text in quotes, then at most a comment.
fn value(text: &str) -> Result<String, String> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let word = text.split('#').next().unwrap_or_default().trim_end();
        return match word {
            "" => Err("the value is missing".to_owned()),
            word if word.contains(char::is_whitespace) => {
                Err("a value with spaces needs quotes: 'like this'".to_owned())
            }
            word => Ok(word.to_owned()),
        };
    };
    let mut value = String::new();
    let mut chars = quoted.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.peek() == Some(&'\'') => {
                chars.next();
                value.push('\'');
            }
            '\'' => {
                let rest: String = chars.collect();
                let rest = rest.trim();
                return if rest.is_empty() || rest.starts_with('#') {
                    Ok(value)
                } else {
                    Err("something follows the closing quote".to_owned())
                };
            }
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => return Err("the closing quote is missing".to_owned()),
            }),
            c => value.push(c),
        }
    }
    Err("the closing quote is missing".to_owned())
}
