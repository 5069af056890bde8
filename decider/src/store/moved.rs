//! Volumes that moved since somebody last asked: each at most once, so that it is bounded by their number.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use arcstr::ArcStr;
use tokio::sync::Notify;

/// A set of PersistentVolume names, and a bell.
#[derive(Debug, Default)]
pub struct Moved {
    names: Mutex<BTreeSet<ArcStr>>,
    bell: Notify,
}

impl Moved {
    /// This volume is worth a look.
    pub fn mark(&self, pv: &ArcStr) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(pv) {
            names.insert(pv.clone());
        }
        drop(names);
        self.bell.notify_one();
    }

    /// Waits for volumes that moved, and takes them all. For one waiter; cancel-safe.
    pub async fn take(&self) -> BTreeSet<ArcStr> {
        loop {
            let names = std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner));
            if !names.is_empty() {
                return names;
            }
            self.bell.notified().await;
        }
    }
}
