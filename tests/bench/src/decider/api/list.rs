//! Lists, by the page.

use axum::{http::StatusCode, response::Response};

use super::{Server, json, objects::Kind};

/// Version of what never changed.
pub(super) const FIRST: u64 = 1;

/// A parameter of a query.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

impl Server {
    /// A page; where it goes on is the number of the next object.
    pub(super) fn list(&self, kind: Kind, query: &str) -> Response {
        let number = |name| parameter(query, name).and_then(|text| text.parse::<u32>().ok());
        let (all, from) = (kind.count(self.fleet), number("continue").unwrap_or(0));
        let to = all.min(from.saturating_add(number("limit").unwrap_or(all)));
        let version = {
            let mut state = self.state();
            state.counts.pages += 1;
            self.version.load(std::sync::atomic::Ordering::Relaxed)
        };
        let (group, _) = kind.path();
        let next = if to < all { to.to_string() } else { String::new() };
        let mut text = format!(
            r#"{{"kind":"{}List","apiVersion":"{group}","metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":["#,
            kind.name()
        );
        for index in from..to {
            if index > from {
                text.push(',');
            }
            text.push_str(&self.object(kind, index, FIRST));
        }
        text.push_str("]}");
        json(StatusCode::OK, text)
    }
}
