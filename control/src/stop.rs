//! Stops a process after a certain write: how tests ask what a crash there leaves behind. Never set in production.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio_util::sync::CancellationToken;

/// Counts writes; after the last allowed one it cancels a token and lets nothing more happen.
#[derive(Debug, Clone)]
pub struct StopAfter {
    left: Arc<AtomicU32>,
    stopped: CancellationToken,
}

impl StopAfter {
    /// Allows `writes` writes (at least one), then cancels `stopped`.
    #[must_use]
    pub fn new(writes: u32, stopped: CancellationToken) -> Self {
        Self {
            left: Arc::new(AtomicU32::new(writes)),
            stopped,
        }
    }

    /// Called after each write; after the last allowed one it never returns.
    pub async fn written(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 1 {
            self.stopped.cancel();
            std::future::pending::<()>().await;
        }
    }
}
