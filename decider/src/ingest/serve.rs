//! How agents are listened to: the port, what HTTP/2 may keep of each, and when all streams end.

use std::time::Duration;

use futures::TryStreamExt;
use proto::usage::v1::usage_server::UsageServer;
use runtime::tcp;
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval, timeout},
};
use tonic::transport::{Error, Server, server::TcpIncoming};

use super::Ingest;

/// A connection on which nothing is said for this long is probed this often. The node's kernel answers, which wakes nobody. That
/// nothing comes of a stream is noticed by looking.
const KEEPALIVE: Duration = Duration::from_secs(10);
const PROBES_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked which streams are silent. One is ended at the fourth look without a message, after 30 to 40 s.
const LOOK: Duration = Duration::from_secs(10);
/// Time for agents to take the end of their streams; who takes longer is left. Shorter than what a process has for its end.
const FAREWELL: Duration = Duration::from_secs(3);
/// Beyond it a message is garbage: agents' are a thousand times smaller.
const LARGEST_MESSAGE: usize = 4 << 20;

impl Ingest {
    /// Listens to agents until the service's stop, and then until they have taken it, for a few seconds at most.
    ///
    /// # Errors
    /// If the port fails.
    pub async fn serve(self, listener: TcpListener) -> Result<(), Error> {
        let (stop, store) = (self.0.stop.clone(), self.0.store.clone());
        let incoming = TcpIncoming::from(listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE))
            .with_keepalive_interval(Some(PROBES_EVERY))
            .inspect_ok(|connection| {
                if let Err(error) = tcp::give_up_in_time(connection) {
                    tracing::debug!(%error, "a connection without a time for acknowledgements");
                }
            });
        let service = UsageServer::new(self).max_decoding_message_size(LARGEST_MESSAGE);
        // One service needs no router, which would put every message through more hands.
        let serving = Server::builder()
            .initial_stream_window_size(proto::STREAM_WINDOW)
            .serve_with_incoming_shutdown(service, incoming, stop.clone().cancelled_owned());
        tokio::pin!(serving);
        let mut looks = interval(LOOK);
        // One after a pause of the whole machine: messages are waiting to be read.
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ended = &mut serving => return ended,
                () = stop.cancelled() => break,
                _ = looks.tick() => store.end_silent(),
            }
        }
        store.end_streams();
        timeout(FAREWELL, serving).await.unwrap_or_else(|_| {
            tracing::info!("some connections do not end and are left");
            Ok(())
        })
    }
}
