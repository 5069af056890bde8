//! One piece of work per volume at a time, off the runtime.
//!
//! Work that has begun ends, also when its caller has given up: the volume's lock goes with the work and not with the
//! call, so that a repeated call never meets a half-made filesystem that is still being made.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{error::Error, volumes::Volumes};

/// The volumes, behind a lock each.
#[derive(Debug)]
pub struct Exclusive {
    volumes: Arc<Volumes>,
    /// Locks that somebody holds or waits for; others are dropped at the next look.
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Exclusive {
    /// No lock is held.
    pub fn new(volumes: Volumes) -> Self {
        Self {
            volumes: Arc::new(volumes),
            locks: Mutex::default(),
        }
    }

    /// Waits for the volume and does blocking work on it.
    pub async fn on<T, W>(&self, id: &str, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&Volumes) -> Result<T, Error> + Send + 'static,
    {
        let held = self.lock(id).lock_owned().await;
        let volumes = Arc::clone(&self.volumes);
        off(move || {
            let _held = held;
            work(&volumes)
        })
        .await
    }

    /// Does blocking work that only looks, without waiting for the volume.
    pub async fn look<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&Volumes) -> Result<T, Error> + Send + 'static,
    {
        let volumes = Arc::clone(&self.volumes);
        off(move || work(&volumes)).await
    }

    fn lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(id).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(id.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

/// Runs blocking work on the pool made for it.
pub(crate) async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::Abandoned)?
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn exclusive(dir: &tempfile::TempDir) -> Exclusive {
        Exclusive::new(Volumes::open(dir.path(), 1 << 30).unwrap())
    }

    #[tokio::test]
    async fn work_goes_on_after_its_caller_gave_up_and_the_next_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let exclusive = exclusive(&dir);
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let slow = exclusive.on("a", move |_| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            Ok(())
        });
        {
            let mut slow = std::pin::pin!(slow);
            assert!(futures_poll(slow.as_mut()).await.is_none());
            has_begun.recv().unwrap();
        }
        let mut next = std::pin::pin!(exclusive.on("a", |_| Ok("next")));
        assert!(futures_poll(next.as_mut()).await.is_none());
        assert_eq!(exclusive.on("b", |_| Ok("other")).await.unwrap(), "other");
        assert!(futures_poll(next.as_mut()).await.is_none());
        go_on.send(()).unwrap();
        assert_eq!(next.await.unwrap(), "next");
    }

    #[tokio::test]
    async fn locks_nobody_wants_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let exclusive = exclusive(&dir);
        for id in ["a", "b", "c"] {
            exclusive.on(id, |_| Ok(())).await.unwrap();
        }
        assert!(exclusive.locks.lock().unwrap().len() <= 1);
    }

    /// Polls once.
    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
