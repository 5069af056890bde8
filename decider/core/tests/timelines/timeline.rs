//! How a timeline is written.
//!
//! Lines of `key: value`, then `data:` with what happens. Keys: `why` (a sentence), `volume` (size of claim and
//! filesystem), `expect` (once for each growth: `FROM-TO Reason [SIZE]`, the seconds within which it is decided; or
//! `never`), `holds` (`AT Reason`: what is answered then), `full` (the second at which the volume is full; without it,
//! it must never be), and what differs from the defaults: `threshold`, `upper`, `time-to-full`, `expansion` (what is
//! expected and what it takes), `budget` (`COUNT/WINDOW/RESERVE/INTERVAL`), `spent` (minutes before the begin), `grown`
//! (`HOURS-BEFORE FROM`: growths to the present size), `sizes` (lines of the data are joined, not held).
//!
//! Data: `SECOND USED`, in KiB or with a unit, or `SECOND EVENT`: `silent` (no measurement from here to the next
//! number), `stuck` (the same, and told so), `restart` (the decider forgets; the agent replays), `blind-restart`
//! (without), `read-only`, `writable`, `capacity SIZE` (grown by somebody else), `end`. `data: NAME` is
//! `recorded/NAME.data`.

use std::{fs, path::PathBuf, time::Duration};

use decider_core::Modifications;
use units::Bytes;

/// A timeline as it is written.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) why: String,
    pub(crate) volume: u64,
    pub(crate) threshold: Option<i32>,
    pub(crate) upper: Option<String>,
    pub(crate) time_to_full: Option<String>,
    pub(crate) expansion: Option<u64>,
    pub(crate) budget: Option<Modifications>,
    pub(crate) spent: Vec<i64>,
    pub(crate) grown: Vec<(i64, u64)>,
    pub(crate) joined: bool,
    pub(crate) full: Option<i64>,
    pub(crate) expect: Vec<Expected>,
    pub(crate) holds: Vec<(i64, String)>,
    pub(crate) recording: Option<String>,
    pub(crate) data: Vec<(i64, What)>,
}

/// One growth.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) reason: String,
    pub(crate) size: Option<u64>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Used(u64),
    Silent,
    Stuck,
    Restart { replay: bool },
    ReadOnly(bool),
    Capacity(u64),
    End,
}

pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/timelines")
}

pub(crate) fn read(name: &str) -> Timeline {
    let path = directory().join(format!("{name}.timeline"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut timeline = Timeline::default();
    let mut lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    for line in lines.by_ref() {
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{name}: {line}"));
        if key == "data" {
            timeline.recording = Some(value.trim().to_owned()).filter(|v| !v.is_empty());
            break;
        }
        timeline.set(key, value.trim());
    }
    timeline.data = match &timeline.recording {
        None => lines.map(event).collect(),
        Some(recording) => {
            let path = directory().join(format!("recorded/{recording}.data"));
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            text.lines().filter(|l| !l.starts_with('#')).map(event).collect()
        }
    };
    assert!(timeline.why.len() > 20, "{name}: no sentence why");
    timeline
}

impl Timeline {
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "why" => value.clone_into(&mut self.why),
            "volume" => self.volume = size(value),
            "threshold" => self.threshold = Some(number(value)),
            "upper" => self.upper = Some(value.to_owned()),
            "time-to-full" => self.time_to_full = Some(value.to_owned()),
            "expansion" => self.expansion = Some(number(value)),
            "budget" => self.budget = Some(budget(value)),
            "spent" => self.spent = value.split_whitespace().map(number).collect(),
            "grown" => self.grown.push(pair(value)),
            "sizes" => self.joined = value == "joined",
            "full" => self.full = Some(number(value)),
            "holds" => {
                let (at, reason) = value.split_once(' ').expect("AT Reason");
                self.holds.push((number(at), reason.to_owned()));
            }
            "expect" if value == "never" => {}
            "expect" => self.expect.push(expected(value)),
            _ => panic!("unknown key {key}"),
        }
    }
}

fn expected(text: &str) -> Expected {
    let mut words = text.split_whitespace();
    let (from, to) = words.next().and_then(|w| w.split_once('-')).expect("FROM-TO");
    Expected {
        from: number(from),
        to: number(to),
        reason: words.next().expect("a reason").to_owned(),
        size: words.next().map(size),
    }
}

fn event(line: &str) -> (i64, What) {
    let (at, what) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
    let what = match what.split_once(' ').unwrap_or((what, "")) {
        ("silent", _) => What::Silent,
        ("stuck", _) => What::Stuck,
        ("restart", _) => What::Restart { replay: true },
        ("blind-restart", _) => What::Restart { replay: false },
        ("read-only", _) => What::ReadOnly(true),
        ("writable", _) => What::ReadOnly(false),
        ("capacity", to) => What::Capacity(size(to)),
        ("end", _) => What::End,
        (used, _) => What::Used(size(used)),
    };
    (number(at), what)
}

fn budget(text: &str) -> Modifications {
    let parts: Vec<&str> = text.split('/').collect();
    let [count, window, reserve, interval] = parts[..] else {
        panic!("{text}")
    };
    let hours = |t: &str| Duration::from_secs(number::<u64>(t) * 3_600);
    Modifications {
        count: number(count),
        window: hours(window),
        reserve: number(reserve),
        minimum_interval: hours(interval),
    }
}

fn pair(text: &str) -> (i64, u64) {
    let (hours, from) = text.split_once(' ').expect("HOURS FROM");
    (number(hours), size(from))
}

/// Bytes; a bare number is KiB.
fn size(text: &str) -> u64 {
    match text.parse::<u64>() {
        Ok(kib) => kib << 10,
        Err(_) => Bytes::parse_quantity(text)
            .unwrap_or_else(|e| panic!("{text}: {e}"))
            .get(),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}
