//! Messages that break the protocol.

/// A message that breaks the protocol. The stream ends with `INVALID_ARGUMENT` and these words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// Neither of the known bodies.
    #[error("a message without a body, or of a newer protocol")]
    Empty,
    /// A name that cannot be an object's.
    #[error("{field} {value:?} is no name")]
    Name {
        /// Which.
        field: &'static str,
        /// Cut to a sane length.
        value: String,
    },
    /// No such instant.
    #[error("{field}: {ms} ms is no instant")]
    Instant {
        /// Which.
        field: &'static str,
        /// As sent.
        ms: i64,
    },
    /// A volume without its reading.
    #[error("volume {index} without a reading")]
    NoReading {
        /// Its index.
        index: u32,
    },
    /// A volume whose reading leaves out a number: there is none before it that it could be as.
    #[error("volume {index} with a reading that leaves out {field}")]
    LeftOut {
        /// Its index.
        index: u32,
        /// The number.
        field: &'static str,
    },
    /// A volume whose reading is another's.
    #[error("volume {index} with the reading of {other}")]
    OtherReading {
        /// Its index.
        index: u32,
        /// The reading's.
        other: u32,
    },
    /// More past than is ever asked for.
    #[error("{count} points in the history of volume {index}")]
    TooManyPoints {
        /// The volume.
        index: u32,
        /// As sent.
        count: usize,
    },
    /// A message out of its place in the stream: the first says who speaks, and some follow others.
    #[error("{0}")]
    OutOfOrder(&'static str),
    /// An index nobody introduced, or introduced for another volume.
    #[error("index {index}: {what}")]
    Index {
        /// As sent.
        index: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// More volumes than a node can have.
    #[error("more than {most} volumes on one node")]
    TooManyVolumes {
        /// The limit.
        most: usize,
    },
}

impl BadMessage {
    /// An index nobody introduced.
    pub(super) fn unnamed(index: u32) -> Self {
        let what = "names no volume";
        Self::Index { index, what }
    }
}
