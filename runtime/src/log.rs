//! The log: `tracing` events to standard error, as text or JSON, filtered by `--log`.

use thiserror::Error;
use tracing_subscriber::{EnvFilter, filter::ParseError, util::TryInitError};

use crate::{
    args::{LogArgs, LogFormat},
    tasks::panic_text,
};

/// Why the log could not be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The filter given by `--log` cannot be parsed.
    #[error("--log {filter:?} is not a log filter")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// A log is installed already.
    #[error("the log is already set up")]
    Again(#[source] TryInitError),
}

/// Installs the process's log. Panics are logged too, with their place, before they unwind.
///
/// # Errors
/// If the filter cannot be parsed, or a log is already installed.
pub fn init(args: &LogArgs) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&args.log).map_err(|source| Error::Filter {
        filter: args.log.clone(),
        source,
    })?;
    install(filter, args.log_format)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(place, thread, "panic: {}", panic_text(panic.payload()));
    }));
    Ok(())
}

fn install(filter: EnvFilter, format: LogFormat) -> Result<(), Error> {
    use tracing_subscriber::util::SubscriberInitExt;

    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Where the log cannot be written, saying so there would be a panic, and that, which is logged, the end of the process.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_ansi(false).finish().try_init(),
        LogFormat::Json => log.json().flatten_event(true).finish().try_init(),
    }
    .map_err(Error::Again)
}

#[cfg(test)]
mod tests {
    use super::{Error, init};
    use crate::args::{LogArgs, LogFormat};

    #[test]
    fn a_bad_filter_is_named() {
        let args = LogArgs {
            log: "info,=nonsense=".to_owned(),
            log_format: LogFormat::Text,
            termination_log: "/nonexistent".into(),
        };
        let error = init(&args).unwrap_err();
        assert!(matches!(error, Error::Filter { .. }), "{error}");
        assert!(error.to_string().contains("=nonsense="), "{error}");
    }
}
