//! Whether steps are told to be out of order when they are.

#![allow(clippy::unwrap_used, reason = "what helps a test fails as the test does")]

use e2e::history::History;
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn whole_seconds_are_compared_as_such_and_finer_times_as_they_are() {
    let mut history = History::default();
    history.then("a", at("2026-01-01T00:00:01.9Z")).unwrap();
    history.then("b", at("2026-01-01T00:00:01Z")).unwrap();
    history.then("c", at("2026-01-01T00:00:01.5Z")).unwrap();
    assert!(history.then("d", at("2026-01-01T00:00:01.4Z")).is_err());
    assert!(history.then("d", at("2026-01-01T00:00:00Z")).is_err());
}
