//! One agent: a connection, a stream, a message each second if something moved, a heartbeat if not.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use prost::Message;
use proto::usage::v1::{AgentMessage, DeciderMessage, decider_message, usage_client::UsageClient};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use runtime::clock::{Clock, SystemClock};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;

use super::{super::fleet::Fleet, Heard, Order, SPREAD, node::Node, words};

/// As an agent has them.
const HEARTBEAT: Duration = Duration::from_secs(2);
const SNAPSHOT: Duration = Duration::from_secs(600);
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(5));
const CONNECT: Duration = Duration::from_secs(3);
const ACCEPT: Duration = Duration::from_secs(10);
/// After a connection that failed.
const RETRY: Duration = Duration::from_millis(500);
/// Messages in which an agent says who it is, all it measures, and the past, at most.
const GREETING: usize = 64;
const SECOND: Duration = Duration::from_secs(1);
/// One agent in so many, and each with a hot volume, has everything acknowledged, to see how long that takes. Real ones have
/// not.
const MEASURING: u32 = 20;

/// One agent.
pub(super) struct Agent {
    index: u32,
    hot: bool,
    decider: SocketAddr,
    heard: Arc<Heard>,
    node: Node,
    rng: SmallRng,
    /// Within each second, when it measures.
    phase: Duration,
    snapshot_due: Instant,
    /// When what the latest snapshot told was measured.
    snapshot_ms: i64,
    /// What was sent and not acknowledged: when it was measured, and when it was sent.
    unanswered: VecDeque<(i64, Instant)>,
    /// When what the decider has was sent.
    known: Option<Instant>,
    /// The first acknowledgement since the last cut is still to come.
    away: bool,
}

impl Agent {
    pub(super) fn new(fleet: Fleet, index: u32, hot: bool, decider: SocketAddr, heard: Arc<Heard>) -> Self {
        let mut rng = SmallRng::seed_from_u64(u64::from(index));
        Self {
            index,
            hot,
            decider,
            heard,
            node: Node::new(fleet, index, hot, &mut rng),
            phase: rng.random_range(Duration::ZERO..SECOND),
            snapshot_due: Instant::now() + rng.random_range(Duration::ZERO..SNAPSHOT),
            snapshot_ms: 0,
            rng,
            unanswered: VecDeque::new(),
            known: None,
            away: true,
        }
    }

    /// Follows the orders for ever.
    pub(super) async fn run(mut self, mut orders: watch::Receiver<Order>) {
        loop {
            let Order::Connected(_) = *orders.borrow_and_update() else {
                if orders.changed().await.is_err() {
                    return;
                }
                continue;
            };
            // At first all come as if they had been there before; later those with a hot volume come at once.
            if !self.hot || self.known.is_none() {
                sleep(self.rng.random_range(Duration::ZERO..SPREAD)).await;
            }
            self.away = true;
            loop {
                tokio::select! {
                    ended = self.stream() => {
                        if let Err(error) = ended {
                            self.heard.failed();
                            if self.index == 0 {
                                eprintln!("agent 0: {error:#}");
                            }
                        }
                        sleep(RETRY).await;
                    }
                    changed = orders.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        break;
                    }
                }
            }
        }
    }

    /// One stream, until it ends.
    async fn stream(&mut self) -> anyhow::Result<()> {
        self.unanswered.clear();
        let channel = Endpoint::from_shared(format!("http://{}", self.decider))?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE.0)
            .keep_alive_timeout(KEEPALIVE.1)
            .keep_alive_while_idle(true)
            .connect()
            .await?;
        // As much as an agent has to say at once: it goes out in as few frames as the window lets it.
        let (sender, receiver) = mpsc::channel(GREETING);
        let mut client = UsageClient::new(channel);
        let answers = client.report(ReceiverStream::new(receiver));
        let mut answers = timeout(ACCEPT, answers)
            .await
            .context("not accepted")??
            .into_inner();
        self.greet(&sender).await?;
        let mut seconds = interval_at(Instant::now() + self.phase, SECOND);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut said = Instant::now();
        loop {
            tokio::select! {
                answer = answers.message() => match answer? {
                    Some(answer) => self.hear(&answer),
                    None => return Ok(()),
                },
                _ = seconds.tick() => self.second(&sender, &mut said).await?,
            }
        }
    }

    /// Who it is, everything, and the past.
    async fn greet(&mut self, sender: &mpsc::Sender<AgentMessage>) -> anyhow::Result<()> {
        let now = now_ms();
        self.snapshot_ms = now;
        self.say(sender, words::hello(self.index, self.measures(), now), 0, None)
            .await?;
        self.snapshot(sender, 0, now).await?;
        for history in words::histories(&self.node, now) {
            self.say(sender, history, 0, None).await?;
        }
        self.heard.replayed();
        Ok(())
    }

    /// A measurement of all volumes.
    async fn second(
        &mut self,
        sender: &mpsc::Sender<AgentMessage>,
        said: &mut Instant,
    ) -> anyhow::Result<()> {
        let moved = self.node.second(&mut self.rng);
        let (at, now) = (now_ms(), Instant::now());
        let is_snapshot = now >= self.snapshot_due;
        if !is_snapshot && moved.is_empty() && now < *said + HEARTBEAT {
            return Ok(());
        }
        if !self.measures() {
            // The one before is there by now.
            self.known = Some(*said);
        }
        *said = now;
        if is_snapshot {
            (self.snapshot_due, self.snapshot_ms) = (now + SNAPSHOT, at);
            return self.snapshot(sender, moved.len(), at).await;
        }
        let message = if moved.is_empty() {
            words::heartbeat(at - self.snapshot_ms)
        } else {
            words::changes(&self.node, &moved, at)
        };
        let answered = self.measures().then_some(at);
        self.say(sender, message, moved.len(), answered).await
    }

    /// All volumes; the last part is acknowledged.
    async fn snapshot(
        &mut self,
        sender: &mpsc::Sender<AgentMessage>,
        moves: usize,
        at: i64,
    ) -> anyhow::Result<()> {
        let mut parts = words::snapshots(&self.node, at);
        let last = parts.pop().context("a part at least")?;
        for part in parts {
            self.say(sender, part, 0, None).await?;
        }
        self.say(sender, last, moves, Some(at)).await
    }

    const fn measures(&self) -> bool {
        self.hot || self.index.is_multiple_of(MEASURING)
    }

    async fn say(
        &mut self,
        sender: &mpsc::Sender<AgentMessage>,
        message: AgentMessage,
        moves: usize,
        answered: Option<i64>,
    ) -> anyhow::Result<()> {
        self.heard.sent(message.encoded_len(), moves);
        if let Some(at) = answered {
            self.unanswered.push_back((at, Instant::now()));
        }
        sender.send(message).await.context("the stream has ended")
    }

    fn hear(&mut self, answer: &DeciderMessage) {
        let Some(decider_message::Body::Ack(ack)) = &answer.body else {
            return;
        };
        let now = Instant::now();
        while let Some((at, sent)) = self
            .unanswered
            .front()
            .copied()
            .filter(|(at, _)| *at <= ack.as_of_ms)
        {
            self.unanswered.pop_front();
            if at == ack.as_of_ms {
                self.heard.answered(now - sent);
            }
            let before = self.known.replace(sent);
            if std::mem::take(&mut self.away) {
                self.heard
                    .again(self.hot, before.map_or(Duration::ZERO, |before| now - before));
            }
        }
    }
}

fn now_ms() -> i64 {
    SystemClock.now().as_millisecond()
}
