//! The admin port: `/live`, `/ready` and `/metrics` over plain HTTP/1.1.
//!
//! `/live` answers 503 only when a loop of the process hangs, `/ready` as long as something is missing; both
//! name it, one line each. It serves nothing about the cluster and takes no input.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{readiness::Readiness, watchdog::Watchdogs};

/// Content type of the text exposition format that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the admin port tells.
#[derive(Debug)]
pub struct Admin {
    /// Answers `/ready`.
    pub readiness: Readiness,
    /// Answers `/live`.
    pub watchdogs: Watchdogs,
    /// Answers `/metrics`.
    pub registry: Registry,
}

/// Serves an [`Admin`] without watchdogs at `addr` until `token` is cancelled.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    readiness: Readiness,
    registry: Registry,
    token: CancellationToken,
) -> anyhow::Result<()> {
    Admin {
        readiness,
        watchdogs: Watchdogs::default(),
        registry,
    }
    .serve(addr, token)
    .await
}

impl Admin {
    /// Serves at `addr` until `token` is cancelled. Give it [`Tasks::last_token`](crate::tasks::Tasks::last_token),
    /// so that `/ready` tells of the shutdown while it lasts.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn serve(self, addr: SocketAddr, token: CancellationToken) -> anyhow::Result<()> {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("cannot listen on the admin address {addr}"))?;
        self.serve_on(listener, token).await
    }

    /// Serves on a bound listener until `token` is cancelled; open connections do not hold it up.
    ///
    /// # Errors
    /// If accepting connections fails for good.
    pub async fn serve_on(self, listener: TcpListener, token: CancellationToken) -> anyhow::Result<()> {
        let routes = Router::new()
            .route("/live", get(live))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(self));
        tokio::select! {
            () = token.cancelled() => Ok(()),
            served = axum::serve(listener, routes) => served.context("the admin port failed"),
        }
    }
}

async fn live(State(admin): State<Arc<Admin>>) -> Response {
    verdict(&admin.watchdogs.late())
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    verdict(&admin.readiness.missing())
}

fn verdict(missing: &[String]) -> Response {
    if missing.is_empty() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n").into_response()
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &admin.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
