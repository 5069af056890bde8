//! When a volume grew, in a file beside its image: what a modification rate limit counts.
//!
//! One line per growth, `<milliseconds since 1970> <new size>`, appended before the growth, so that a driver that is
//! killed in between counts one too many rather than one too few. A line cut short by that kill is skipped.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
    time::Duration,
};

/// The times of all growths, in the order of the file.
pub fn read(path: &Path) -> io::Result<Vec<Duration>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(time_of).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Notes a growth.
pub fn append(path: &Path, now: Duration, size: u64) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    // The newline in front closes a line that was cut short.
    write!(file, "\n{} {size}", now.as_millis())
}

/// Whether one more growth stays within so many in a rolling window that ends now. Times ahead of a clock that was set
/// back count as now.
pub fn allows(grown: &[Duration], now: Duration, window: Duration, modifications: u32) -> bool {
    let recent = grown
        .iter()
        .filter(|time| now.saturating_sub(**time) < window)
        .count();
    u32::try_from(recent).is_ok_and(|recent| recent < modifications)
}

fn time_of(line: &str) -> Option<Duration> {
    let (time, size) = line.split_once(' ')?;
    size.parse::<u64>().ok()?;
    time.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn counts_only_what_is_in_the_window() {
        let grown = [10 * SECOND, 11 * SECOND, 15 * SECOND];
        assert!(allows(&[], 16 * SECOND, SECOND, 1));
        assert!(!allows(&[], 16 * SECOND, SECOND, 0));
        assert!(!allows(&grown, 16 * SECOND, 10 * SECOND, 3));
        assert!(allows(&grown, 16 * SECOND, 10 * SECOND, 4));
        // The first leaves the window at 20 s exactly.
        assert!(!allows(
            &grown,
            20 * SECOND - Duration::from_millis(1),
            10 * SECOND,
            3
        ));
        assert!(allows(&grown, 20 * SECOND, 10 * SECOND, 3));
    }

    #[test]
    fn a_clock_set_back_does_not_forget() {
        assert!(!allows(&[10 * SECOND], 5 * SECOND, SECOND, 1));
    }

    #[test]
    fn survives_a_line_cut_short() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("modifications");
        assert_eq!(read(&path).unwrap(), []);
        append(&path, SECOND, 1).unwrap();
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"\n17")
            .unwrap();
        append(&path, 2 * SECOND, 2).unwrap();
        assert_eq!(read(&path).unwrap(), [SECOND, 2 * SECOND]);
    }
}
