//! The usage service: agents' streams in, believed samples into the store. Knows nothing of Kubernetes.
//!
//! Each stream is driven by its own response: polling it reads the next message, records it and answers with
//! an acknowledgement, so that HTTP/2 flow control is the only queue and a vanished agent drops everything it
//! held. Nothing an agent sends can end the process: garbage ends its stream with a code and is counted.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use proto::usage::v1::{
    Ack, AgentMessage, DeciderMessage, Levels, VolumeLevels, decider_message::Body, usage_server,
};
use runtime::clock::Clock;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};
use units::Reason;

use crate::{
    metrics::Metrics,
    store::{End, News, Store},
};

mod broken;
mod node;
mod serve;
mod session;
mod volumes;
pub mod wire;

pub use broken::BadMessage;
pub use node::{AsSaid, NodeCheck};
use session::Session;
use wire::Message;

/// Time for the first message.
const GREETING: Duration = Duration::from_secs(10);

/// The service; clones share everything.
#[derive(Clone)]
pub struct Ingest(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    nodes: Box<dyn NodeCheck>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    stop: CancellationToken,
}

/// What a stream's response is.
type Answers = Pin<Box<dyn Stream<Item = Result<DeciderMessage, Status>> + Send>>;

impl Ingest {
    /// A service that records into `store` until `stop`.
    pub fn new(
        store: Arc<Store>,
        nodes: impl NodeCheck,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            nodes: Box::new(nodes),
            clock,
            metrics,
            stop,
        }))
    }
}

#[tonic::async_trait]
impl usage_server::Usage for Ingest {
    type ReportStream = Answers;

    async fn report(&self, request: Request<Streaming<AgentMessage>>) -> Result<Response<Answers>, Status> {
        let (metadata, _, inbound) = request.into_parts();
        let conversation = Conversation {
            shared: Arc::clone(&self.0),
            metadata,
            inbound,
            session: None,
        };
        let answers = stream::unfold(Some(conversation), |state| async move {
            let mut conversation = state?;
            match conversation.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(conversation))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}

/// One stream and what it is worth so far.
struct Conversation {
    shared: Arc<Shared>,
    metadata: MetadataMap,
    inbound: Streaming<AgentMessage>,
    session: Option<Session>,
}

impl Conversation {
    /// The next thing to say; `None` when the agent has ended.
    async fn next(&mut self) -> Result<Option<DeciderMessage>, Status> {
        loop {
            let Some(session) = &mut self.session else {
                let late = |_| Status::deadline_exceeded(format!("no Hello within {GREETING:?}"));
                if !timeout(GREETING, self.greet()).await.map_err(late)?? {
                    return Ok(None);
                }
                continue;
            };
            let stream = Arc::clone(session.registration().stream());
            let message = tokio::select! {
                biased;
                news = stream.news() => match news {
                    News::End(end) => return Err(ended(end)),
                    News::Levels(levels) => return Ok(Some(levels_message(levels))),
                },
                message = self.inbound.message() => message?,
            };
            let Some(message) = message else { return Ok(None) };
            stream.heard();
            let now = self.shared.clock.now();
            let recorded = Message::try_from(message).and_then(|message| session.receive(message, now));
            match recorded {
                Ok(Some(as_of)) => return Ok(Some(ack(as_of))),
                Ok(None) => {}
                Err(bad) => return Err(self.shared.refuse(&bad, stream.node())),
            }
        }
    }

    /// Takes the Hello; false when the agent ended without one.
    async fn greet(&mut self) -> Result<bool, Status> {
        let message = tokio::select! {
            () = self.shared.stop.cancelled() => return Err(ended(End::Stopping)),
            message = self.inbound.message() => message?,
        };
        let Some(message) = message else { return Ok(false) };
        let hello = match Message::try_from(message) {
            Ok(Message::Hello(hello)) => hello,
            Ok(_) => {
                return Err(self
                    .shared
                    .refuse(&BadMessage::OutOfOrder("the first message is no Hello"), ""));
            }
            Err(bad) => return Err(self.shared.refuse(&bad, "")),
        };
        let node = self.shared.nodes.node(&self.metadata, &hello.node)?;
        tracing::info!(
            node,
            version = hello.version,
            boot_id = hello.boot_id,
            "agent connected"
        );
        let registration = self.shared.store.register(node);
        if self.shared.stop.is_cancelled() {
            // It may have come after all others were ended.
            return Err(ended(End::Stopping));
        }
        let now = self.shared.clock.now();
        let (store, metrics) = (Arc::clone(&self.shared.store), self.shared.metrics.clone());
        self.session = Some(Session::new(registration, store, metrics, &hello, now));
        Ok(true)
    }
}

impl Shared {
    /// Counts a broken message and makes it a code.
    fn refuse(&self, bad: &BadMessage, node: &str) -> Status {
        self.metrics.refused(Reason::BadMessage);
        tracing::warn!(node, reason = Reason::BadMessage.as_str(), "{bad}");
        Status::invalid_argument(bad.to_string())
    }
}

fn ended(why: End) -> Status {
    match why {
        End::Replaced => Status::aborted("a newer stream of this node has taken over"),
        End::Silent => Status::deadline_exceeded("no message for half a minute"),
        End::Stopping => Status::unavailable("the decider is shutting down"),
    }
}

fn ack(as_of: Timestamp) -> DeciderMessage {
    DeciderMessage {
        body: Some(Body::Ack(Ack {
            as_of_ms: as_of.as_millisecond(),
        })),
    }
}

fn levels_message(levels: Vec<(u32, u64)>) -> DeciderMessage {
    let volumes = levels
        .into_iter()
        .map(|(index, used)| VolumeLevels {
            index,
            used: vec![used],
        })
        .collect();
    DeciderMessage {
        body: Some(Body::Levels(Levels { volumes })),
    }
}
