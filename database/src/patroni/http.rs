//! One request over one connection, bounded in time and size.

use std::{net::SocketAddr, pin::pin, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time};

use super::{Credentials, Error};

/// The longest answer read, in bytes. `/patroni` of a member with many receivers is a few KiB.
const BODY_LIMIT: usize = 1024 * 1024;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What came back.
pub(super) struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// The body of a success; else the refusal.
    pub(super) fn accepted(self) -> Result<Bytes, Error> {
        let Self { status, body } = self;
        if status.is_success() {
            return Ok(body);
        }
        let text = crate::one_line(&String::from_utf8_lossy(&body));
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Unauthorised(text),
            status => Error::Refused {
                status: status.as_u16(),
                text,
            },
        })
    }
}

pub(super) async fn get(addr: SocketAddr, path: &str, timeout: Duration) -> Result<Answer, Error> {
    let request = Request::builder()
        .uri(path)
        .header(HOST, addr.to_string())
        .header(CONNECTION, "close")
        .body(Full::default())
        .map_err(|error| Error::NotUnderstood(addr, error.into()))?;
    bounded(addr, request, timeout).await
}

pub(super) async fn send(
    verb: &str,
    addr: SocketAddr,
    path: &str,
    credentials: &Credentials,
    body: &Value,
    timeout: Duration,
) -> Result<Answer, Error> {
    let Credentials { username, password } = credentials;
    let token = STANDARD.encode(format!("{username}:{password}"));
    let request = Method::from_bytes(verb.as_bytes())
        .map_err(hyper::http::Error::from)
        .and_then(|method| {
            Request::builder()
                .method(method)
                .uri(path)
                .header(HOST, addr.to_string())
                .header(CONNECTION, "close")
                .header(CONTENT_TYPE, "application/json")
                .header(AUTHORIZATION, format!("Basic {token}"))
                .body(Full::from(body.to_string()))
        })
        .map_err(|error| Error::NotUnderstood(addr, error.into()))?;
    bounded(addr, request, timeout).await
}

async fn bounded(
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
    timeout: Duration,
) -> Result<Answer, Error> {
    match time::timeout(timeout, exchange(addr, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::TimedOut(addr, timeout)),
    }
}

async fn exchange(addr: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
    let unreachable = |error: Source| Error::Unreachable(addr, error);
    let stream = TcpStream::connect(addr)
        .await
        .map_err(|error| unreachable(error.into()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(error.into()))?;
    let mut answer = pin!(async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(error.into()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_LIMIT)
            .collect()
            .await
            .map_err(|error| match error.is::<hyper::Error>() {
                true => unreachable(error),
                false => Error::NotUnderstood(addr, error),
            })?;
        Ok(Answer {
            status,
            body: body.to_bytes(),
        })
    });
    // The connection is driven here, beside the question. When it ends first, what it brought is still to be read.
    tokio::select! {
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}
