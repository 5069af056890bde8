//! The wire's messages as domain types: the only place that reads them, and the only one that refuses them.
//!
//! What passes here is right by construction: names are names, instants are instants, every reading has its
//! index. Whether a number can be believed is another question, asked by [`decider_core::Sample::check`].

use decider_core::Point;
use jiff::Timestamp;
use proto::usage::v1::{self, agent_message::Body};
use units::Bytes;

use super::broken::BadMessage;

mod device;
mod reading;

pub use device::Device;
pub use reading::{Moving, Reading, Steady};

/// The longest name of a Kubernetes object.
const LONGEST_NAME: usize = 253;
/// Longest of the short words: device, filesystem type, version.
const LONGEST_WORD: usize = 128;
/// Points of one volume in a history: ten minutes at one a second.
const MOST_POINTS: usize = 600;

/// One message of an agent, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Who speaks.
    Hello(Hello),
    /// A part of all volumes.
    Snapshot(Snapshot),
    /// What moved.
    Changes(Changes),
    /// Nothing moved, as of so many milliseconds after the latest snapshot.
    Heartbeat(i64),
    /// The past, by index.
    History(Vec<(u32, Vec<Point>)>),
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Name of the node.
    pub node: String,
    /// Version of the agent.
    pub version: String,
    /// Tells a rebooted node from a reconnect.
    pub boot_id: String,
    /// The node's clock.
    pub clock: Timestamp,
    /// Changes and heartbeats are to be acknowledged.
    pub acknowledge: bool,
}

/// A part of all volumes of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Volumes of this part.
    pub volumes: Vec<(Volume, Reading)>,
    /// What is not stuck was measured at or after this.
    pub as_of: Timestamp,
    /// The first part.
    pub first: bool,
    /// The last part.
    pub last: bool,
}

/// What moved since the last message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What is not stuck was measured at or after this.
    pub as_of: Timestamp,
    /// Volumes known by their index.
    pub readings: Vec<Reading<Option<u64>>>,
    /// New volumes.
    pub added: Vec<(Volume, Reading)>,
    /// Indices of volumes no longer mounted.
    pub gone: Vec<u32>,
}

/// A mounted volume under its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name within the stream.
    pub index: u32,
    /// The PersistentVolume.
    pub pv: String,
    /// The pod that mounts it.
    pub pod_uid: String,
    /// What the filesystem is on, if that is known.
    pub device: Option<Device>,
    /// As mountinfo prints it.
    pub fs_type: String,
}

impl TryFrom<v1::AgentMessage> for Message {
    type Error = BadMessage;

    fn try_from(message: v1::AgentMessage) -> Result<Self, BadMessage> {
        Ok(match message.body.ok_or(BadMessage::Empty)? {
            Body::Hello(hello) => Self::Hello(read_hello(hello)?),
            Body::Snapshot(v1::Snapshot {
                volumes,
                as_of_ms,
                last,
                first,
            }) => {
                let as_of = instant("as_of_ms", as_of_ms)?;
                Self::Snapshot(Snapshot {
                    volumes: read_volumes(volumes, as_of_ms)?,
                    as_of,
                    first,
                    last,
                })
            }
            Body::Changes(v1::Changes {
                as_of_ms,
                readings,
                added,
                gone,
            }) => Self::Changes(Changes {
                as_of: instant("as_of_ms", as_of_ms)?,
                readings: readings
                    .into_iter()
                    .map(|r| reading::read(r, as_of_ms))
                    .collect::<Result<_, _>>()?,
                added: read_volumes(added, as_of_ms)?,
                gone,
            }),
            Body::Heartbeat(v1::Heartbeat { after_ms }) => Self::Heartbeat(after_ms),
            Body::History(v1::History { volumes }) => {
                Self::History(volumes.into_iter().map(read_history).collect::<Result<_, _>>()?)
            }
        })
    }
}

fn read_hello(hello: v1::Hello) -> Result<Hello, BadMessage> {
    let v1::Hello {
        node,
        version,
        boot_id,
        clock_ms,
        acknowledge,
    } = hello;
    Ok(Hello {
        node: name("node", node)?,
        version: word("version", version)?,
        boot_id: word("boot_id", boot_id)?,
        clock: instant("clock_ms", clock_ms)?,
        acknowledge,
    })
}

fn read_volumes(volumes: Vec<v1::Volume>, as_of_ms: i64) -> Result<Vec<(Volume, Reading)>, BadMessage> {
    volumes.into_iter().map(|v| read_volume(v, as_of_ms)).collect()
}

fn read_volume(volume: v1::Volume, as_of_ms: i64) -> Result<(Volume, Reading), BadMessage> {
    let v1::Volume {
        index,
        pv,
        pod_uid,
        device,
        fs_type,
        reading,
    } = volume;
    let reading = reading.ok_or(BadMessage::NoReading { index })?;
    // A reading inside a volume need not repeat the index.
    if reading.index != index && reading.index != 0 {
        return Err(BadMessage::OtherReading {
            index,
            other: reading.index,
        });
    }
    let reading = reading::read_whole(v1::Reading { index, ..reading }, as_of_ms)?;
    let volume = Volume {
        index,
        pv: name("pv", pv)?,
        pod_uid: word("pod_uid", pod_uid)?,
        device: Device::read(&word("device", device)?),
        fs_type: word("fs_type", fs_type)?,
    };
    Ok((volume, reading))
}

fn read_history(history: v1::VolumeHistory) -> Result<(u32, Vec<Point>), BadMessage> {
    let v1::VolumeHistory { index, points } = history;
    if points.len() > MOST_POINTS {
        return Err(BadMessage::TooManyPoints {
            index,
            count: points.len(),
        });
    }
    let point = |p: v1::Point| {
        let at = instant("at_ms", p.at_ms)?;
        Ok(Point {
            at,
            used: Bytes::new(p.used),
            capacity: Bytes::new(p.capacity),
        })
    };
    Ok((index, points.into_iter().map(point).collect::<Result<_, _>>()?))
}

/// The instant that a heartbeat tells of.
pub(super) fn after(snapshot: Timestamp, after_ms: i64) -> Result<Timestamp, BadMessage> {
    instant("after_ms", snapshot.as_millisecond().saturating_add(after_ms))
}

fn instant(field: &'static str, ms: i64) -> Result<Timestamp, BadMessage> {
    Timestamp::from_millisecond(ms).map_err(|_| BadMessage::Instant { field, ms })
}

/// The name of a Kubernetes object: not empty, and of the characters that DNS allows.
fn name(field: &'static str, value: String) -> Result<String, BadMessage> {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    if !value.is_empty() && value.len() <= LONGEST_NAME && value.bytes().all(fits) {
        return Ok(value);
    }
    Err(BadMessage::Name {
        field,
        value: value.chars().take(64).collect(),
    })
}

/// A short word that may be empty, safe to print.
fn word(field: &'static str, value: String) -> Result<String, BadMessage> {
    if value.len() <= LONGEST_WORD && value.bytes().all(|c| c.is_ascii_graphic()) {
        return Ok(value);
    }
    Err(BadMessage::Name {
        field,
        value: value.chars().take(64).collect(),
    })
}
