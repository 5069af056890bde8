//! A decider that only counts: it takes the stream of an agent, acknowledges each message and decides nothing.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use anyhow::Context;
use futures::{Stream, stream};
use proto::usage::v1::{
    Ack, AgentMessage, DeciderMessage,
    decider_message::Body,
    usage_server::{Usage, UsageServer},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use crate::{PATIENCE, heard::Heard};

/// The decider; serves until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    heard: Arc<watch::Sender<Heard>>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Listening(Arc<watch::Sender<Heard>>);

impl Receiver {
    /// Listens on a port of its own.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(watch::Sender::default());
        let service = UsageServer::new(Listening(Arc::clone(&heard)));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            if let Err(error) = Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
            {
                eprintln!("the receiver failed: {error}");
            }
        });
        Ok(Self {
            heard,
            address,
            _server: server,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Waits until what was heard is `enough`, and returns it.
    ///
    /// # Errors
    /// When it is not within a minute.
    pub async fn until(&self, what: &str, enough: impl Fn(&Heard) -> bool) -> anyhow::Result<Heard> {
        let mut heard = self.heard.subscribe();
        let heard = timeout(PATIENCE, heard.wait_for(|heard| enough(heard)))
            .await
            .with_context(|| format!("not heard within {PATIENCE:?}: {what}"))??;
        Ok(heard.clone())
    }
}

#[tonic::async_trait]
impl Usage for Listening {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<DeciderMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let state = (request.into_inner(), Arc::clone(&self.0));
        let answers = stream::unfold(state, |(mut inbound, heard)| async {
            let message = match inbound.message().await {
                Ok(message) => message?,
                Err(status) => return Some((Err(status), (inbound, heard))),
            };
            heard.send_modify(|heard| heard.push(&message));
            let ack = DeciderMessage {
                body: Some(Body::Ack(Ack { as_of_ms: 0 })),
            };
            Some((Ok(ack), (inbound, heard)))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
