//! A question over plain HTTP, on a connection of its own.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks; answers with code and body.
///
/// # Errors
/// When nobody answers, or not in HTTP.
pub async fn ask(address: SocketAddr, verb: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("{verb} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").context("an answer without a head")?;
    let code = head
        .split(' ')
        .nth(1)
        .context("an answer without a code")?
        .parse()?;
    Ok((code, body.to_owned()))
}
