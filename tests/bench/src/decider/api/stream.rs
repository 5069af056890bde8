//! Watches: what changed since a version, then what changes, until the time is up.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::Response,
};
use futures::stream;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{Server, json, list::parameter, objects::Kind};

/// A watch without a limit of its own.
const LONGEST: u64 = 300;
/// A watch that tells nothing tells at least where it is, after this time.
const BOOKMARK: Duration = Duration::from_secs(60);

struct Watch {
    server: Arc<Server>,
    kind: Kind,
    seen: u64,
    bell: watch::Receiver<u64>,
    end: Instant,
}

impl Server {
    pub(super) fn watch(self: &Arc<Self>, kind: Kind, query: &str) -> Response {
        let number = |name| parameter(query, name).and_then(|text| text.parse::<u64>().ok());
        self.state().counts.watches += 1;
        let watch = Watch {
            server: Arc::clone(self),
            kind,
            seen: number("resourceVersion").unwrap_or(0),
            bell: self.bell.subscribe(),
            end: Instant::now() + Duration::from_secs(number("timeoutSeconds").unwrap_or(LONGEST)),
        };
        let events = stream::unfold(watch, |mut watch| async move {
            let text = watch.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(text)), watch))
        });
        json(StatusCode::OK, Body::from_stream(events))
    }
}

impl Watch {
    /// The next lines; none when the time is up.
    async fn next(&mut self) -> Option<String> {
        let bookmark = self.end.min(Instant::now() + BOOKMARK);
        loop {
            // Noted before looking, so that what comes meanwhile rings again.
            self.bell.borrow_and_update();
            let lines = self.changes();
            if !lines.is_empty() {
                return Some(lines);
            }
            match timeout_at(bookmark, self.bell.changed()).await {
                Ok(changed) => changed.ok()?,
                Err(_) if bookmark == self.end => return None,
                Err(_) => return Some(self.bookmark()),
            }
        }
    }

    fn changes(&mut self) -> String {
        let new: Vec<(u64, u32)> = {
            let state = self.server.state();
            let all = state
                .changes
                .get(self.kind as usize)
                .map_or(&[][..], Vec::as_slice);
            let from = all.partition_point(|(version, _)| *version <= self.seen);
            all.get(from..).unwrap_or_default().to_vec()
        };
        let mut lines = String::new();
        for (version, index) in new {
            self.seen = version;
            let object = self.server.object(self.kind, index, version);
            lines.push_str(r#"{"type":"MODIFIED","object":"#);
            lines.push_str(&object);
            lines.push_str("}\n");
        }
        lines
    }

    fn bookmark(&self) -> String {
        let (group, _) = self.kind.path();
        format!(
            r#"{{"type":"BOOKMARK","object":{{"apiVersion":"{group}","kind":"{}","metadata":{{"resourceVersion":"{}"}}}}}}{}"#,
            self.kind.name(),
            self.seen,
            '\n'
        )
    }
}
