//! What is told to a decider, in messages of bounded length.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{history::Point, statfs::Usage, sweeper::Failure, volumes::Volume};

/// A message takes no more than this unless a single volume does, so that it goes into one TCP segment of Ethernet and no queue before
/// it is long. At a decider's end tonic keeps room for twice the longest message of each stream, and there are thousands.
pub(crate) const BYTES_A_MESSAGE: usize = 1_400;
/// The most that a reading, the numbers of a volume beside its names, a point of the past and an index take.
pub(crate) const READING_BYTES: usize = 80;
pub(crate) const NUMBERS_BYTES: usize = 120;
pub(crate) const POINT_BYTES: usize = 45;
pub(crate) const INDEX_BYTES: usize = 6;

/// One message to a decider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A part of the full state.
    Snapshot {
        /// See [`crate::board::Latest::as_of`].
        as_of: Timestamp,
        /// The volumes of this part.
        volumes: Vec<Named>,
        /// The first part.
        first: bool,
        /// The last part.
        last: bool,
    },
    /// The past of some volumes, by index.
    History(Vec<(u32, Vec<Point>)>),
    /// What moved.
    Changes {
        /// See [`crate::board::Latest::as_of`].
        as_of: Timestamp,
        /// Volumes with new numbers.
        readings: Vec<Moved>,
        /// Volumes that are new to the stream.
        added: Vec<Named>,
        /// Indices that name nothing any more; a volume can be gone and added under another index.
        gone: Vec<u32>,
    },
    /// Nothing moved.
    Heartbeat {
        /// See [`crate::board::Latest::as_of`].
        as_of: Timestamp,
        /// That of the latest snapshot of the stream.
        snapshot: Timestamp,
    },
}

/// A volume with the index that names it in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The volume.
    pub volume: Arc<Volume>,
    /// Its index and numbers.
    pub reading: Reading,
}

/// The numbers of one volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Names the volume in the stream.
    pub index: u32,
    /// Start of the measurement; none if there never was one.
    pub at: Option<Timestamp>,
    /// The numbers of that measurement.
    pub usage: Usage,
    /// Why they are not current.
    pub failure: Option<Failure>,
}

/// New numbers of a volume, and those the stream has of it: what is the same in both need not be told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The new numbers.
    pub reading: Reading,
    /// What was sent for the same index before.
    pub before: Usage,
}

/// The volumes of a snapshot as parts of the length of a message; one part even if there are none.
pub(crate) fn parts(volumes: Vec<Named>) -> Vec<Vec<Named>> {
    let mut parts = vec![Vec::new()];
    let mut size = 0;
    for named in volumes {
        size += bytes(&named.volume);
        if size > BYTES_A_MESSAGE {
            parts.push(Vec::new());
            size = bytes(&named.volume);
        }
        if let Some(part) = parts.last_mut() {
            part.push(named);
        }
    }
    parts
}

/// The most that a volume takes in a message.
pub(crate) fn bytes(volume: &Volume) -> usize {
    volume.pv.len() + volume.pod_uid.len() + volume.fs_type.len() + NUMBERS_BYTES
}
