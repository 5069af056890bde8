//! What has happened so far, and the lines that tell it. Pure: everything seen comes in with its time.

use std::time::Instant;

use e2e::{volume::Space, wait};
use serde_json::Value;

use crate::sizes::{mebibytes, quantity, used_percent};

/// Something the demo saw.
pub(crate) enum Seen {
    /// The fullest filesystem of the members, by statfs on the node.
    Space(Space),
    /// Rows written.
    Inserted(u64),
    /// A statement that failed, with psql's words.
    Refused(String),
    /// The PostgresAutoscaler.
    Autoscaler(Value),
    /// A PostgresOpsRequest of the database.
    Request(Value),
    /// The claim.
    Claim(Value),
}

/// The demo's state. Times are set once, by the first event of their kind.
pub(crate) struct Story {
    started: Instant,
    threshold: f64,
    first_capacity: Option<u64>,
    space: Option<Space>,
    rows: u64,
    refused: bool,
    autoscaler: Value,
    request: Value,
    claim: Value,
    crossed: Option<Instant>,
    requested: Option<Instant>,
    used_when_requested: Option<f64>,
    usable: Option<Instant>,
    finished: Option<Instant>,
}

impl Story {
    pub(crate) fn new(started: Instant, threshold: f64) -> Story {
        Story {
            started,
            threshold,
            first_capacity: None,
            space: None,
            rows: 0,
            refused: false,
            autoscaler: Value::Null,
            request: Value::Null,
            claim: Value::Null,
            crossed: None,
            requested: None,
            used_when_requested: None,
            usable: None,
            finished: None,
        }
    }

    /// When usage went over the threshold.
    pub(crate) fn crossed(&self) -> Option<Instant> {
        self.crossed
    }

    /// Whether the filesystem is larger and the request has succeeded.
    pub(crate) fn ended(&self) -> bool {
        self.usable.is_some() && wait::phase(&self.request) == "Successful"
    }

    /// Takes in what was seen and returns the lines worth telling.
    pub(crate) fn see(&mut self, seen: Seen, at: Instant) -> Vec<String> {
        let told = match seen {
            Seen::Space(space) => self.see_space(space, at),
            Seen::Inserted(rows) => {
                self.rows += rows;
                Vec::new()
            }
            Seen::Refused(words) if !self.refused => {
                self.refused = true;
                vec![format!("SQL      {words}")]
            }
            Seen::Refused(_) => Vec::new(),
            Seen::Autoscaler(object) => self.see_autoscaler(object),
            Seen::Request(object) => self.see_request(object, at),
            Seen::Claim(object) => self.see_claim(object),
        };
        let seconds = at.saturating_duration_since(self.started).as_secs_f64();
        told.into_iter()
            .map(|line| format!("{seconds:6.2} s  {line}"))
            .collect()
    }

    fn see_space(&mut self, space: Space, at: Instant) -> Vec<String> {
        let mut told = Vec::new();
        let first = *self.first_capacity.get_or_insert(space.capacity);
        if self.crossed.is_none() && used_percent(space) > self.threshold {
            self.crossed = Some(at);
            told.push(format!("node     over {} %: {}", self.threshold, spoken(space)));
        }
        if self.usable.is_none() && space.capacity > first {
            self.usable = Some(at);
            told.push(format!(
                "node     the filesystem has grown from {}: {}",
                mebibytes(first),
                spoken(space)
            ));
        }
        if self.requested.is_some() {
            // A request that is there before the first reading came at about this.
            self.used_when_requested
                .get_or_insert_with(|| used_percent(space));
        }
        self.space = Some(space);
        told
    }

    /// The growth that was decided, and what the decider answers now: the first is told even if the second was overtaken.
    fn see_autoscaler(&mut self, object: Value) -> Vec<String> {
        let growth = |o: &Value| {
            (
                text(o, "/status/lastDecision/at"),
                text(o, "/status/lastDecision/message"),
            )
        };
        let mut told = Vec::new();
        if growth(&object) != growth(&self.autoscaler) {
            let reason = text(&object, "/status/lastDecision/reason");
            told.push(format!("decider  {reason}: {}", growth(&object).1));
        }
        let (now, message) = decision(&object);
        let line = format!("decider  {now}: {message}");
        if !now.is_empty() && now != decision(&self.autoscaler).0 && !told.contains(&line) {
            told.push(line);
        }
        self.autoscaler = object;
        told
    }

    fn see_request(&mut self, object: Value, at: Instant) -> Vec<String> {
        let mut told = Vec::new();
        let name = text(&object, "/metadata/name");
        if self.requested.is_none() {
            self.requested = Some(at);
            self.used_when_requested = self.percent();
            let to = quantity(&text(&object, "/spec/volumeExpansion/postgres"));
            told.push(format!(
                "request  {name}: {}, to {to}",
                text(&object, "/spec/type")
            ));
        }
        let before = wait::phase(&self.request).to_owned();
        let now = wait::phase(&object);
        if now != before && !now.is_empty() {
            told.push(format!("request  {now}{}", last_message(&object)));
            if now == "Successful" {
                self.finished = Some(at);
            }
        }
        self.request = object;
        told
    }

    fn see_claim(&mut self, object: Value) -> Vec<String> {
        let mut told = Vec::new();
        for (path, verb) in [
            ("/spec/resources/requests/storage", "asks for"),
            ("/status/capacity/storage", "has"),
        ] {
            let (before, now) = (text(&self.claim, path), text(&object, path));
            if !before.is_empty() && now != before {
                told.push(format!(
                    "claim    {} {verb} {}, {} before",
                    text(&object, "/metadata/name"),
                    quantity(&now),
                    quantity(&before)
                ));
            }
        }
        self.claim = object;
        told
    }

    /// Used space in percent, once it was read.
    pub(crate) fn percent(&self) -> Option<f64> {
        self.space.map(used_percent)
    }

    /// The one line about usage.
    pub(crate) fn usage(&self) -> String {
        let Some(space) = self.space else {
            return "filesystem  not mounted yet".to_owned();
        };
        format!("filesystem  {} {}", bar(used_percent(space)), spoken(space))
    }

    /// The table: usage, decision, request, claim.
    pub(crate) fn table(&self) -> Vec<String> {
        let or_dash = |word: String| if word.is_empty() { "-".to_owned() } else { word };
        let of = |object: &Value, path: &str| or_dash(text(object, path));
        let sized = |path: &str| or_dash(quantity(&text(&self.claim, path)));
        let mut rows = vec![String::new(), self.usage(), format!("rows        {}", self.rows)];
        rows.push(format!(
            "autoscaler  usage {}, can grow {}, {}",
            of(&self.autoscaler, "/status/usage"),
            of(&self.autoscaler, "/status/canGrow"),
            of(&self.autoscaler, "/status/reason"),
        ));
        rows.push(format!(
            "request     {} {}",
            of(&self.request, "/metadata/name"),
            wait::phase(&self.request)
        ));
        rows.push(format!(
            "claim       asks for {}, has {}",
            sized("/spec/resources/requests/storage"),
            sized("/status/capacity/storage"),
        ));
        rows
    }

    /// Why it did not grow, as far as the objects say.
    pub(crate) fn excuse(&self) -> String {
        let (reason, message) = decision(&self.autoscaler);
        let request = match self.requested {
            None => "no request was made".to_owned(),
            Some(_) => format!(
                "request {} is {}{}",
                text(&self.request, "/metadata/name"),
                wait::phase(&self.request),
                last_message(&self.request)
            ),
        };
        let decision = if reason.is_empty() {
            "the decider said nothing".to_owned()
        } else {
            format!("{reason}: {message}")
        };
        format!("{decision}; {request}; {}", self.usage())
    }
}

/// `81.2 %, 364 of 448 MiB used`
fn spoken(space: Space) -> String {
    format!(
        "{:.1} %, {} of {} used",
        used_percent(space),
        space.used >> 20,
        mebibytes(space.capacity)
    )
}

/// Thirty cells of usage.
fn bar(percent: f64) -> String {
    const CELLS: usize = 30;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=30"
    )]
    let full = (percent / 100.0 * CELLS as f64).clamp(0.0, CELLS as f64) as usize;
    format!("[{}{}]", "#".repeat(full), ".".repeat(CELLS - full))
}

/// What the decider answers now: reason and message.
fn decision(autoscaler: &Value) -> (String, String) {
    let (_, reason, message) = wait::condition(autoscaler, "Decision").unwrap_or_default();
    (reason.to_owned(), message.to_owned())
}

fn text(object: &Value, path: &str) -> String {
    object
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn last_message(request: &Value) -> String {
    let conditions = request.pointer("/status/conditions").and_then(Value::as_array);
    let last = conditions
        .and_then(|all| all.last())
        .map(|condition| text(condition, "/message"));
    last.filter(|message| !message.is_empty())
        .map_or_else(String::new, |message| format!(": {message}"))
}

mod summary;

#[cfg(test)]
mod tests;
