//! One stream to one replica, from the first message to its end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, stream};
use hyper_util::rt::TokioIo;
use proto::usage::v1::{
    AgentMessage, DeciderMessage, Levels, decider_message::Body, usage_client::UsageClient,
};
use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Status, Streaming,
    transport::{Channel, Endpoint},
};

use super::{Uplink, dial::Connect, wire};
use crate::{board::Board, metrics::Metrics, sampler::Sampler};

/// A replica that has not accepted within this is tried again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The replica answers the call as soon as it takes the stream, before the first report.
pub(super) const ACCEPT_TIMEOUT: Duration = Duration::from_secs(10);
/// A replica whose machine is gone is given up by [`runtime::tcp`]. After the sum of these one is known that does not run any
/// more, but whose connection something holds.
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
pub(super) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the replica to see the end of the stream when the agent ends.
pub(super) const FAREWELL: Duration = Duration::from_millis(300);
/// A decider's messages are acknowledgements and levels.
const LONGEST_ANSWER: usize = 256 << 10;

/// Why a stream ended.
#[derive(Debug, Error)]
pub(super) enum Error {
    #[error("cannot connect")]
    Connect(#[source] tonic::transport::Error),
    #[error("the stream was refused or broke")]
    Stream(#[source] Box<Status>),
    #[error("the stream was not accepted within {ACCEPT_TIMEOUT:?}")]
    NotAccepted,
}

/// The sampler of a stream, and the news that the replica set levels.
#[derive(Debug)]
struct Told {
    sampler: Mutex<Sampler>,
    levels: Notify,
}

/// A stream that the replica has taken.
pub(super) struct Taken {
    inbound: Streaming<DeciderMessage>,
    told: Arc<Told>,
}

/// Opens a stream to a replica, which sends no more than who it is until the replica has taken it.
pub(super) async fn open(
    uplink: &Uplink,
    connect: impl AsyncFnOnce() -> Result<Channel, Error>,
    token: &CancellationToken,
) -> Result<Taken, Error> {
    let channel = connect().await?;
    let told = Arc::new(Told {
        sampler: Mutex::new(Sampler::new(uplink.pace.heartbeat, uplink.pace.snapshot_every)),
        levels: Notify::new(),
    });
    let (taken, is_taken) = watch::channel(false);
    let outbound = Outbound {
        hello: Some(wire::hello(&uplink.identity, uplink.clock.now())),
        board: Arc::clone(&uplink.board),
        ticks: uplink.board.ticks(),
        told: Arc::clone(&told),
        metrics: uplink.metrics.clone(),
        is_taken,
        token: token.clone(),
    };
    // The place of the agent's token: metadata of this request.
    let request = Request::new(outbound.into_stream());
    let mut client = UsageClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let response = timeout(ACCEPT_TIMEOUT, client.report(request))
        .await
        .map_err(|_| Error::NotAccepted)?
        .map_err(|status| Error::Stream(Box::new(status)))?;
    taken.send_replace(true);
    Ok(Taken {
        inbound: response.into_inner(),
        told,
    })
}

/// A connection to the replica, with `connector` under HTTP/2.
pub(super) async fn channel(
    authority: &str,
    address: std::net::SocketAddr,
    connector: Arc<dyn Connect>,
) -> Result<Channel, Error> {
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))
        .map_err(Error::Connect)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    let connect = tower::service_fn(move |_| {
        let connection = connector.connect(address);
        async { connection.await.map(TokioIo::new) }
    });
    endpoint
        .connect_with_connector(connect)
        .await
        .map_err(Error::Connect)
}

impl Taken {
    /// Takes what the replica says until either side ends the stream.
    pub(super) async fn listen(mut self, board: &Board, token: &CancellationToken) -> Result<(), Error> {
        loop {
            let message = tokio::select! {
                message = self.inbound.message() => message,
                () = token.cancelled() => break,
            };
            match message.map_err(|status| Error::Stream(Box::new(status)))? {
                None => return Ok(()),
                Some(DeciderMessage {
                    body: Some(Body::Levels(Levels { volumes })),
                }) => {
                    let levels = volumes.into_iter().map(|volume| (volume.index, volume.used));
                    let named = self.told.sampler().set_levels(levels);
                    board.note_levels(named);
                    self.told.levels.notify_one();
                }
                // An acknowledgement tells nothing that is needed: what is lost comes again with the next snapshot.
                Some(DeciderMessage {
                    body: Some(Body::Ack(_)) | None,
                }) => {}
            }
        }
        // The outbound half has ended with the token: the replica ends its half when it has read all.
        let ended = async { while let Ok(Some(_)) = self.inbound.message().await {} };
        if timeout(FAREWELL, ended).await.is_err() {
            tracing::debug!("a decider did not end the stream");
        }
        Ok(())
    }
}

/// The messages to the replica. HTTP/2 takes the next one when its window allows, so nothing is made in advance.
struct Outbound {
    hello: Option<AgentMessage>,
    board: Arc<Board>,
    ticks: watch::Receiver<u64>,
    told: Arc<Told>,
    metrics: Metrics,
    is_taken: watch::Receiver<bool>,
    token: CancellationToken,
}

impl Outbound {
    fn into_stream(self) -> impl Stream<Item = AgentMessage> + Send + 'static {
        stream::unfold(self, |mut outbound| async move {
            let message = outbound.send().await?;
            outbound.metrics.messages.inc();
            Some((message, outbound))
        })
    }

    /// The next message, once there is one to send; none when the process stops.
    async fn send(&mut self) -> Option<AgentMessage> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        // Until then HTTP/2 lets 64 KiB go: a replica that starts would be sent that much by every node at once.
        tokio::select! {
            () = self.token.cancelled() => return None,
            taken = self.is_taken.wait_for(|taken| *taken) => drop(taken.ok()?),
        }
        while !self.token.is_cancelled() {
            // Before the first sweep an empty snapshot would say that the node has no volumes.
            let swept = *self.ticks.borrow_and_update() > 0;
            let now = Instant::now();
            let report = swept.then(|| {
                self.board
                    .read(|latest| self.told.sampler().tick(latest, now.into_std()))
            });
            if let Some(report) = report.flatten() {
                return Some(wire::message(report));
            }
            let due = self.told.sampler().heartbeat_due(now.into_std());
            tokio::select! {
                () = self.token.cancelled() => {}
                () = self.told.levels.notified() => {}
                () = sleep_until(due.into()), if swept => {}
                changed = self.ticks.changed() => changed.ok()?,
            }
        }
        None
    }
}

impl Told {
    fn sampler(&self) -> MutexGuard<'_, Sampler> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
