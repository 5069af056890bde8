//! A node as the store knows it: who speaks for it, and until when somebody vouched.

use std::{collections::HashSet, sync::Arc};

use arcstr::ArcStr;
use jiff::Timestamp;

use super::{End, Mount, Store, Stream};

/// The newest stream of a node, and every mount of which anybody there ever spoke and that is not gone.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) newest: Arc<Stream>,
    /// Until when the streams before vouched.
    before: Option<Timestamp>,
    /// It is known that nobody has vouched for a while.
    told_stale: bool,
    pub(super) mounts: HashSet<Arc<Mount>>,
}

impl Store {
    /// The nodes of which agents have told, by name.
    #[must_use]
    pub fn nodes(&self) -> Vec<api::view::Node> {
        let inner = self.inner();
        let mut nodes: Vec<_> = inner
            .by_node
            .iter()
            .map(|(name, node)| node.shown(name))
            .collect();
        drop(inner);
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// Forgets nodes that have no stream and were last heard of before `horizon`. Their volumes are long stale.
    pub fn forget_before(&self, horizon: Timestamp) {
        let mut inner = self.inner();
        let old = |node: &Node| node.newest.has_ended() && node.as_of().is_none_or(|t| t < horizon);
        let lost: Vec<ArcStr> = inner
            .by_node
            .iter()
            .filter(|(_, node)| old(node))
            .map(|(name, _)| name.clone())
            .collect();
        for name in lost {
            let Some(node) = inner.by_node.remove(&name) else {
                continue;
            };
            node.mounts.iter().for_each(|mount| inner.remove(mount, u64::MAX));
        }
    }

    /// Ends the streams of which nothing was heard for several looks.
    pub fn end_silent(&self) {
        self.inner().by_node.values().for_each(|node| node.newest.look());
    }

    /// Ends all streams.
    pub fn end_streams(&self) {
        let inner = self.inner();
        inner
            .by_node
            .values()
            .for_each(|node| node.newest.end(End::Stopping));
    }

    /// Has the volumes of nodes looked at for which nobody has vouched since `horizon`, once.
    pub fn tell_stale(&self, horizon: Timestamp) {
        for node in self.inner().by_node.values_mut() {
            let is_stale = node.as_of().is_some_and(|as_of| as_of < horizon);
            let was_told = std::mem::replace(&mut node.told_stale, is_stale);
            if is_stale && !was_told {
                node.mounts.iter().for_each(|mount| self.moved.mark(&mount.pv));
            }
        }
    }
}

impl Node {
    /// A node of which nobody spoke before.
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        Self {
            newest: stream,
            before: None,
            told_stale: false,
            mounts: HashSet::new(),
        }
    }

    /// A newer stream speaks for it; the one before is told to end.
    pub(super) fn follow(&mut self, stream: Arc<Stream>) {
        self.before = self.as_of();
        std::mem::replace(&mut self.newest, stream).end(End::Replaced);
    }

    /// Until when its streams vouched.
    fn as_of(&self) -> Option<Timestamp> {
        self.newest.as_of().max(self.before)
    }

    fn shown(&self, name: &str) -> api::view::Node {
        api::view::Node {
            name: name.to_owned(),
            connected: !self.newest.has_ended(),
            as_of: self.as_of(),
            mounts: self.mounts.len(),
        }
    }
}
