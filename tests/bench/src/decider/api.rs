//! An API server that is none: it answers what the decider lists, watches and writes, from numbers.
//!
//! Objects are made when they are asked for; what is kept are the statuses of autoscalers, the Lease, and which objects
//! changed at which version.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::watch};

mod list;
mod objects;
mod stream;
mod writes;

use super::fleet::Fleet;
use objects::{KINDS, Kind};

/// What was asked of it so far.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Pages of lists.
    pub pages: u64,
    /// Watches that were begun.
    pub watches: u64,
    /// Requests about the Lease.
    pub lease: u64,
    /// Statuses of autoscalers written.
    pub statuses: u64,
    /// Requests made by the decider for a growth.
    pub growths: u64,
    /// Events created or patched.
    pub events: u64,
    /// Anything else.
    pub others: u64,
}

struct Server {
    fleet: Fleet,
    version: AtomicU64,
    state: Mutex<Stored>,
    /// Rings for each change, with its version.
    bell: watch::Sender<u64>,
}

#[derive(Default)]
struct Stored {
    lease: Option<serde_json::Value>,
    /// By database: version and status.
    statuses: HashMap<u32, (u64, String)>,
    /// By place of the kind: what changed, and when.
    changes: [Vec<(u64, u32)>; KINDS.len()],
    counts: Counts,
}

/// Serves until the process is ended; prints its address first.
///
/// # Errors
/// If it cannot listen.
pub async fn serve(fleet: Fleet) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let server = Server {
        fleet,
        version: AtomicU64::new(1_000),
        state: Mutex::default(),
        bell: watch::Sender::new(0),
    };
    let routes = Router::new().fallback(answer).with_state(Arc::new(server));
    // As a real one does; without it each write waits for a delayed acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            eprintln!("no TCP_NODELAY: {error}");
        }
    });
    Ok(axum::serve(listener, routes).await?)
}

/// Where a request points to.
struct Target<'a> {
    group: String,
    plural: &'a str,
    name: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let mut parts = path.split('/').skip(1);
        let group = match parts.next()? {
            "api" => parts.next()?.to_owned(),
            "apis" => format!("{}/{}", parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut plural = parts.next()?;
        if plural == "namespaces" {
            parts.next()?;
            plural = parts.next()?;
        }
        Some(Self {
            group,
            plural,
            name: parts.next(),
        })
    }

    fn kind(&self) -> Option<Kind> {
        let here = |kind: &Kind| kind.path() == (self.group.as_str(), self.plural);
        KINDS.into_iter().find(here)
    }
}

async fn answer(State(server): State<Arc<Server>>, method: Method, uri: Uri, body: Bytes) -> Response {
    match uri.path() {
        "/bench/counts" => return axum::Json(server.state().counts).into_response(),
        "/bench/touch-profile" => {
            server.touch(Kind::Profiles, 0);
            return StatusCode::NO_CONTENT.into_response();
        }
        _ => {}
    }
    let Some(target) = Target::of(uri.path()) else {
        return refuse(StatusCode::NOT_FOUND, "NotFound");
    };
    match (target.kind(), target.plural) {
        (_, "leases") => server.lease(&method, &body),
        (_, "events") => {
            server.state().counts.events += 1;
            json(StatusCode::CREATED, body)
        }
        (Some(kind), _) if method == Method::GET && target.name.is_none() => {
            let query = uri.query().unwrap_or_default();
            if list::parameter(query, "watch").is_some() {
                server.watch(kind, query)
            } else {
                server.list(kind, query)
            }
        }
        (Some(Kind::Autoscalers), _) if method == Method::PATCH => server.status(&target, &body),
        (Some(Kind::Requests), _) if method == Method::POST => server.growth(&body),
        _ => {
            server.state().counts.others += 1;
            refuse(StatusCode::NOT_FOUND, "NotFound")
        }
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, Stored> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_version(&self) -> u64 {
        self.version.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An object has changed.
    fn touch(&self, kind: Kind, index: u32) {
        self.changed(&mut self.state(), kind, index);
    }

    /// The same while the state is held; answers the object's new version.
    fn changed(&self, state: &mut Stored, kind: Kind, index: u32) -> u64 {
        let version = self.next_version();
        if let Some(changes) = state.changes.get_mut(kind as usize) {
            changes.push((version, index));
        }
        self.bell.send_replace(version);
        version
    }

    /// An object as it is now.
    fn object(&self, kind: Kind, index: u32, version: u64) -> String {
        let state = self.state();
        let stored = state.statuses.get(&index).filter(|_| kind == Kind::Autoscalers);
        let (version, status) = match stored {
            Some((version, status)) => (*version, Some(status.clone())),
            None => (version, None),
        };
        drop(state);
        kind.render(self.fleet, index, version, status.as_deref())
    }
}

fn json(code: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// A refusal, as an API server words it.
fn refuse(code: StatusCode, reason: &str) -> Response {
    let number = code.as_u16();
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{reason}","reason":"{reason}","code":{number}}}"#
    );
    json(code, body)
}
