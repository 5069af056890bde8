//! A server of the agents' calls that keeps nothing of what they say: the least that the kernel, HTTP/2 and gRPC take of the decider's
//! time. It listens as the decider does, on one thread and with the same window, but has the processor's cache to itself.

use std::{future::pending, pin::Pin};

use futures::{Stream, StreamExt, stream};
use proto::usage::v1::{
    Ack, AgentMessage, DeciderMessage,
    agent_message::Body,
    decider_message,
    usage_server::{Usage, UsageServer},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};

/// Listens on a free port, which is said first, for ever.
///
/// # Errors
/// When the port fails.
pub async fn serve() -> anyhow::Result<()> {
    runtime::thread::alone("listener", || async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = Server::builder().initial_stream_window_size(proto::STREAM_WINDOW);
        let serving = server.serve_with_incoming_shutdown(UsageServer::new(Listener), incoming, pending());
        Ok(serving.await?)
    })
    .await
}

struct Listener;

/// What of a stream is needed to acknowledge.
struct Conversation {
    inbound: Streaming<AgentMessage>,
    acknowledge: bool,
    snapshot_ms: i64,
}

#[tonic::async_trait]
impl Usage for Listener {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<DeciderMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let conversation = Conversation {
            inbound: request.into_inner(),
            acknowledge: false,
            snapshot_ms: 0,
        };
        let answers = stream::unfold(conversation, |mut conversation| async {
            let answer = conversation.next().await.transpose()?;
            Some((answer, conversation))
        });
        Ok(Response::new(answers.boxed()))
    }
}

impl Conversation {
    /// The next acknowledgement; none when the agent has ended.
    async fn next(&mut self) -> Result<Option<DeciderMessage>, Status> {
        while let Some(message) = self.inbound.message().await? {
            let as_of_ms = match message.body {
                Some(Body::Hello(hello)) => {
                    self.acknowledge = hello.acknowledge;
                    None
                }
                Some(Body::Snapshot(snapshot)) => {
                    self.snapshot_ms = snapshot.as_of_ms;
                    snapshot.last.then_some(snapshot.as_of_ms)
                }
                Some(Body::Changes(changes)) => self.acknowledge.then_some(changes.as_of_ms),
                Some(Body::Heartbeat(heartbeat)) => {
                    let as_of_ms = self.snapshot_ms + heartbeat.after_ms;
                    self.acknowledge.then_some(as_of_ms)
                }
                Some(Body::History(_)) | None => None,
            };
            if let Some(as_of_ms) = as_of_ms {
                let body = Some(decider_message::Body::Ack(Ack { as_of_ms }));
                return Ok(Some(DeciderMessage { body }));
            }
        }
        Ok(None)
    }
}
