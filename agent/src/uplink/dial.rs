//! How deciders are found and reached. Both are arguments of the [`super::Uplink`], so that a simulation can run
//! it, and so that TLS can be put around a connection.

use std::{fmt, io, net::SocketAddr};

use futures::future::BoxFuture;
use runtime::tcp;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};

/// Finds the addresses of all decider replicas.
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// The present addresses.
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>>;
}

/// Opens a connection to one replica.
pub trait Connect: fmt::Debug + Send + Sync + 'static {
    /// A connection to `address`, over which HTTP/2 is spoken.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>>;
}

/// A connection of any kind.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// The system's resolver, asked for `host:port`.
#[derive(Debug)]
pub struct Dns(pub String);

impl Resolve for Dns {
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Ok(lookup_host(&self.0).await?.collect()) })
    }
}

/// TCP without encryption.
#[derive(Debug)]
pub struct Tcp;

impl Connect for Tcp {
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> {
        Box::pin(async move { Ok(Box::new(open(address).await?) as Box<dyn Connection>) })
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A report is one small message; waiting for more of it would only make it late.
    stream.set_nodelay(true)?;
    tcp::give_up_in_time(&stream)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{getsockopt, sockopt::TcpUserTimeout};
    use tokio::net::TcpListener;

    use super::open;

    #[tokio::test]
    async fn a_connection_has_a_time_for_acknowledgements() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = open(listener.local_addr().unwrap()).await.unwrap();
        assert_eq!(getsockopt(&stream, TcpUserTimeout), Ok(15_000));
        assert!(stream.nodelay().unwrap());
    }
}
