//! `GET /history`: how timelines ended.

use serde::{Deserialize, de::IgnoredAny};

use crate::Lsn;

/// The end of a timeline, by the history file of the next and what Patroni noted beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The timeline that ended.
    pub timeline: u64,
    /// Where it ended.
    pub at: Lsn,
    /// The member that was promoted; none where Patroni has not noted it.
    pub leader: Option<String>,
}

/// `[timeline, lsn, reason]`, then, once noted, `timestamp` and `new_leader` (`TimelineHistory` in Patroni's
/// `dcs/__init__.py`).
#[derive(Deserialize)]
struct Line(
    u64,
    u64,
    #[serde(default)] IgnoredAny,
    #[serde(default)] IgnoredAny,
    #[serde(default)] Option<String>,
);

pub(super) fn history(body: &[u8]) -> Result<Vec<Fork>, serde_json::Error> {
    let lines: Vec<Line> = serde_json::from_slice(body)?;
    let fork = |Line(timeline, at, _, _, leader)| Fork {
        timeline,
        at: Lsn(at),
        leader,
    };
    Ok(lines.into_iter().map(fork).collect())
}

#[cfg(test)]
mod tests {
    use super::{Fork, history};
    use crate::Lsn;

    #[test]
    fn short_and_long_lines_are_read() {
        let body = br#"[[1, 25623960, "no recovery target specified"],
            [2, 25624344, "no recovery target specified", "2026-01-02T03:04:05+00:00"],
            [3, 33554592, "no recovery target specified", "2026-01-02T03:04:05+00:00", "pg-1"]]"#;
        let fork = |timeline, at, leader: Option<&str>| Fork {
            timeline,
            at: Lsn(at),
            leader: leader.map(str::to_owned),
        };
        let forks = history(body).unwrap();
        assert_eq!(forks[0], fork(1, 25_623_960, None));
        assert_eq!(forks[1], fork(2, 25_624_344, None));
        assert_eq!(forks[2], fork(3, 33_554_592, Some("pg-1")));
        assert_eq!(history(b"[]").unwrap(), []);
        assert!(history(b"{}").is_err());
    }
}
