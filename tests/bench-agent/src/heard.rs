//! What a decider has heard on its stream, and how long the messages were.

use prost::Message;
use proto::usage::v1::{AgentMessage, agent_message::Body};

/// gRPC's prefix of each message: a flag and the length.
const PREFIX: usize = 5;

/// The kinds of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of the beginning of a stream: who speaks, and the past.
    Opening,
    /// Everything, or a part of it.
    Snapshot,
    /// What moved.
    Changes,
    /// Nothing moved.
    Heartbeat,
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// Its kind.
    pub kind: Kind,
    /// Its length on the wire, HTTP/2's frames left out.
    pub bytes: usize,
    /// How many volumes it has numbers of.
    pub volumes: usize,
}

/// All messages of a stream.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    all: Vec<Said>,
    mounted: usize,
}

impl Heard {
    /// Takes note of a message.
    pub fn push(&mut self, message: &AgentMessage) {
        let (kind, volumes) = match &message.body {
            None | Some(Body::Hello(_) | Body::History(_)) => (Kind::Opening, 0),
            Some(Body::Heartbeat(_)) => (Kind::Heartbeat, 0),
            Some(Body::Snapshot(snapshot)) => {
                let before = if snapshot.first { 0 } else { self.mounted };
                self.mounted = before + snapshot.volumes.len();
                (Kind::Snapshot, snapshot.volumes.len())
            }
            Some(Body::Changes(changes)) => {
                self.mounted = (self.mounted + changes.added.len()).saturating_sub(changes.gone.len());
                (Kind::Changes, changes.readings.len() + changes.added.len())
            }
        };
        self.all.push(Said {
            kind,
            bytes: message.encoded_len() + PREFIX,
            volumes,
        });
    }

    /// The messages, in their order.
    #[must_use]
    pub fn all(&self) -> &[Said] {
        &self.all
    }

    /// How many volumes the agent says are mounted.
    #[must_use]
    pub fn mounted(&self) -> usize {
        self.mounted
    }

    /// The length of all messages of a kind.
    #[must_use]
    pub fn bytes(&self, kind: Kind) -> usize {
        self.of(kind).map(|said| said.bytes).sum()
    }

    /// The messages of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Said> {
        self.all.iter().filter(move |said| said.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use proto::usage::v1::{
        AgentMessage, Changes, Heartbeat, Reading, Snapshot, Volume, agent_message::Body,
    };

    use super::{Heard, Kind};

    #[test]
    fn volumes_and_bytes_are_counted() {
        let mut heard = Heard::default();
        let mut say = |body| heard.push(&AgentMessage { body: Some(body) });
        for first in [true, false, true] {
            say(Body::Snapshot(Snapshot {
                volumes: vec![Volume::default(); 2],
                first,
                ..Snapshot::default()
            }));
        }
        say(Body::Changes(Changes {
            readings: vec![Reading::default(); 3],
            added: vec![Volume::default(); 2],
            gone: vec![0],
            ..Changes::default()
        }));
        say(Body::Heartbeat(Heartbeat { after_ms: 1 }));
        assert_eq!(heard.mounted(), 3);
        assert_eq!(heard.of(Kind::Changes).map(|said| said.volumes).sum::<usize>(), 5);
        assert_eq!(heard.bytes(Kind::Heartbeat), 4 + 5);
        assert_eq!(heard.all().len(), 5);
    }
}
