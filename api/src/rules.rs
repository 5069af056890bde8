//! CEL expressions that several kinds use. Each kind gives the message, which names its field.

/// A Go duration above zero. `duration()` would raise an error, not answer false, hence the pattern first.
pub(crate) const DURATION: &str =
    r"self.matches('^([0-9]{1,9}(\\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h))+$') && duration(self) > duration('0s')";
