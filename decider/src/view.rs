//! The view port: HTTP/1.1 and JSON, read only, in the words of [`api::view`].
//!
//! Users reach it through the API server's service proxy, which lets through who may `get` `services/proxy` of this one
//! Service. The proxy passes no token on, so that nothing is authenticated here: what reaches the port may read.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use api::view::{self, Answer, Databases, Nodes, Page, Refusal, Replica};
use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use control::watch::Key;
use runtime::build;
use serde::Serialize;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::controller::Context;

/// Answers that are made at a time: a large fleet's costs milliseconds that ingest and decisions want, too.
const AT_ONCE: usize = 2;
/// How long a question waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Databases after which others may have the thread.
const BATCH: usize = 32;

/// What answers.
#[derive(Clone)]
pub struct View(Arc<Inner>);

struct Inner {
    context: Arc<Context>,
    name: String,
    turns: Semaphore,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Unanswered {
    #[error("this replica has not read the cluster's objects yet; ask again in a moment")]
    NotFilled,
    #[error("this replica is busy with other questions; ask again in a moment")]
    Busy,
    #[error(
        "no PostgresAutoscaler in namespace {namespace} names Postgres {name}; create one, or look for it in another namespace"
    )]
    NotFound { namespace: String, name: String },
    #[error("`after` is <namespace>/<name>, not {0:?}")]
    After(String),
    #[error("{0}")]
    Query(String),
}

impl View {
    /// Answers in the name of a replica.
    #[must_use]
    pub fn new(context: Arc<Context>, name: String) -> Self {
        Self(Arc::new(Inner {
            context,
            name,
            turns: Semaphore::new(AT_ONCE),
        }))
    }

    /// Serves on a bound listener until `stop`; open connections do not hold it up.
    ///
    /// # Errors
    /// If accepting connections fails for good.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
        let routes = Router::new()
            .route(view::DATABASES, get(databases))
            .route(
                &format!("{}/{{namespace}}/{{name}}", view::DATABASES),
                get(database),
            )
            .route(view::NODES, get(nodes))
            .with_state(self);
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            served = axum::serve(listener, routes) => served.context("the view port failed"),
        }
    }

    /// What is known of these autoscalers, in turns with whatever else the process does.
    async fn show(&self, keys: &[Key]) -> Result<Vec<view::Database>, Unanswered> {
        let turn = tokio::time::timeout(PATIENCE, self.0.turns.acquire());
        let _turn = turn.await.map_err(|_| Unanswered::Busy)?;
        let mut shown = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            shown.extend(batch.iter().filter_map(|key| self.0.context.show(key)));
            tokio::task::yield_now().await;
        }
        Ok(shown)
    }

    fn filled(&self) -> Result<&Context, Unanswered> {
        let context = &self.0.context;
        context
            .is_filled()
            .then_some(&**context)
            .ok_or(Unanswered::NotFilled)
    }

    fn answer<T: Serialize>(&self, content: T) -> Response {
        let context = &self.0.context;
        let replica = Replica {
            name: self.0.name.clone(),
            leads: context.leads(),
            version: build::VERSION.to_owned(),
            at: context.now(),
        };
        Json(Answer { replica, content }).into_response()
    }
}

async fn databases(
    State(view): State<View>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Unanswered> {
    let Query(Page {
        namespace,
        after,
        limit,
    }) = page.map_err(|error| Unanswered::Query(error.body_text()))?;
    let after = after.map(|text| key(&text)).transpose()?;
    let limit = limit.unwrap_or(view::PAGE).clamp(1, view::PAGE);
    let (keys, more) = view.filled()?.page(namespace.as_deref(), after.as_ref(), limit);
    let databases = view.show(&keys).await?;
    let next = keys.last().filter(|_| more).map(ToString::to_string);
    Ok(view.answer(Databases { databases, next }))
}

async fn database(
    State(view): State<View>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, Unanswered> {
    let keys = view.filled()?.autoscalers_of(&Key::new(&namespace, &name));
    let databases = view.show(&keys).await?;
    if databases.is_empty() {
        return Err(Unanswered::NotFound { namespace, name });
    }
    Ok(view.answer(Databases {
        databases,
        next: None,
    }))
}

async fn nodes(State(view): State<View>) -> Response {
    let nodes = view.0.context.nodes();
    view.answer(Nodes { nodes })
}

fn key(text: &str) -> Result<Key, Unanswered> {
    text.split_once('/')
        .map(|(namespace, name)| Key::new(namespace, name))
        .ok_or_else(|| Unanswered::After(text.to_owned()))
}

impl IntoResponse for Unanswered {
    fn into_response(self) -> Response {
        let (code, reason) = match self {
            Self::NotFilled | Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "NotFound"),
            Self::After(_) | Self::Query(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
        };
        let refusal = Refusal {
            status: "Failure".into(),
            code: code.as_u16(),
            reason: reason.into(),
            message: self.to_string(),
        };
        (code, Json(refusal)).into_response()
    }
}
