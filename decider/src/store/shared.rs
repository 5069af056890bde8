//! Volumes on one device with others: the filesystem there is none's own.

use arcstr::ArcStr;

use super::{Registration, Store};

impl Store {
    /// Each of these volumes is on one device of the stream's node with the other. It stays so for as long as it is mounted there:
    /// a directory of a disk is one also when it is the last.
    pub(crate) fn share(&self, by: &Registration, pairs: &[(ArcStr, ArcStr)]) {
        if pairs.is_empty() {
            return;
        }
        let mut inner = self.inner();
        for (pv, with) in pairs {
            let entries = inner.volumes.get_mut(pv).into_iter().flatten();
            let own = entries.filter(|e| e.stream.id() == by.stream().id() && !e.shared);
            for entry in own {
                tracing::debug!(
                    node = &**by.node(),
                    pv = &**pv,
                    with = &**with,
                    "two volumes are on one device"
                );
                (entry.shared, entry.calm) = (true, false);
                self.moved.mark(pv);
            }
        }
    }
}
