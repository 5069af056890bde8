//! A duration in an object, in Go's notation: `10m`, `1h30m`, `250ms`.
//!
//! Like a quantity it is kept as written and judged where it is used.

use std::{fmt, str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct DurationText(#[schemars(length(max = 32))] pub String);

/// The text is no positive duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration above zero; write for example 10m or 1h30m")]
pub struct DurationError(pub String);

impl DurationText {
    /// The duration; zero and negative ones are refused.
    pub fn get(&self) -> Result<Duration, DurationError> {
        let error = || DurationError(self.0.clone());
        let parsed = kube::core::Duration::from_str(&self.0).map_err(|_| error())?;
        if parsed.is_negative() || Duration::from(parsed).is_zero() {
            return Err(error());
        }
        Ok(parsed.into())
    }
}

impl From<&str> for DurationText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::DurationText;

    #[test]
    fn reads_what_go_writes() {
        for (text, millis) in [
            ("10m0s", 600_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1500),
        ] {
            assert_eq!(
                DurationText::from(text).get(),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "10", "0s", "-5m", "10 minutes", "1d"] {
            assert!(DurationText::from(text).get().is_err(), "{text}");
        }
    }
}
