//! The edge of a call: its outcome becomes a log line and a gRPC answer.

use tonic::{Response, Status};

use crate::error::Error;

/// Tells when a call is dropped before its end: the caller's deadline passed, or it went away.
struct Unanswered<'a> {
    call: &'static str,
    volume: &'a str,
    answered: bool,
}

/// Does the work of a call, logs how it ended and makes the answer.
pub(crate) async fn answer<T>(
    call: &'static str,
    volume: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Response<T>, Status> {
    let mut unanswered = Unanswered {
        call,
        volume,
        answered: false,
    };
    let outcome = work.await;
    unanswered.answered = true;
    match outcome {
        Ok(done) => {
            tracing::info!(call, volume, "done");
            Ok(Response::new(done))
        }
        Err(error) => {
            let status = Status::from(error);
            tracing::warn!(call, volume, code = ?status.code(), "{}", status.message());
            Err(status)
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.answered {
            tracing::warn!(call = self.call, volume = self.volume, "the caller gave up");
        }
    }
}
