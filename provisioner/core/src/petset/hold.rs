//! The hold: one ordinal that is left alone for a request, for as long as that request runs.

use jiff::Timestamp;

/// A hold as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The ordinal.
    pub ordinal: i32,
    /// Name of the request.
    pub request: String,
    /// Uid of the request.
    pub uid: String,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// The request that a hold names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// There is none of that name and uid.
    Gone,
    /// It is finished.
    Finished,
    /// It is not finished.
    Open,
}

/// Whether an ordinal is held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hold {
    /// None is asked for.
    #[default]
    None,
    /// One is.
    Held(Asked),
    /// One was, and does not count any more.
    Over(Asked, Over),
    /// Something is asked for that cannot be read.
    Unreadable(String),
}

/// Why a hold does not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Its time has passed.
    Expired,
    /// Its request is finished.
    Finished,
    /// Its request is gone.
    Gone,
}

/// What becomes of a hold that is asked for.
#[must_use]
pub fn judge(asked: Asked, request: Request, now: Timestamp) -> Hold {
    match request {
        Request::Gone => Hold::Over(asked, Over::Gone),
        Request::Finished => Hold::Over(asked, Over::Finished),
        Request::Open if asked.expires <= now => Hold::Over(asked, Over::Expired),
        Request::Open => Hold::Held(asked),
    }
}

impl Hold {
    /// The hold that counts.
    #[must_use]
    pub fn held(&self) -> Option<&Asked> {
        match self {
            Hold::Held(asked) => Some(asked),
            Hold::None | Hold::Over(..) | Hold::Unreadable(_) => None,
        }
    }

    /// Whether this ordinal is held.
    #[must_use]
    pub fn holds(&self, ordinal: i32) -> bool {
        self.held().is_some_and(|asked| asked.ordinal == ordinal)
    }
}

impl Over {
    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Over::Expired => "it has expired",
            Over::Finished => "its request is finished",
            Over::Gone => "its request is gone",
        }
    }
}
