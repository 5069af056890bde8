//! What many objects of a kind have in common.

use std::{borrow::Borrow, collections::HashSet, hash::Hash, sync::Arc};

/// Less than this is not worth a look for what nobody uses any more.
const FEW: usize = 64;

/// Names of nodes, classes and namespaces, and policies: each is kept once. Those that no object uses any more go when there
/// are twice as many as were in use.
#[derive(Debug)]
pub struct Shared<T: ?Sized> {
    all: HashSet<Arc<T>>,
    /// At this many, those are let go that nobody uses.
    most: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self {
            all: HashSet::new(),
            most: FEW,
        }
    }
}

impl<T: ?Sized + Eq + Hash> Shared<T> {
    /// The one that is equal to it, shared with all that have it.
    pub fn share(&mut self, one: impl Borrow<T> + Into<Arc<T>>) -> Arc<T> {
        if let Some(known) = self.all.get(one.borrow()) {
            return Arc::clone(known);
        }
        if self.all.len() >= self.most {
            self.all.retain(|one| Arc::strong_count(one) > 1);
            self.most = self.all.len().max(FEW) * 2;
        }
        let one: Arc<T> = one.into();
        self.all.insert(Arc::clone(&one));
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_kept_once_and_only_while_it_is_used() {
        let mut nodes = Shared::<str>::default();
        let node = nodes.share("node-1");
        assert!(Arc::ptr_eq(&node, &nodes.share("node-1")));
        for n in 0..10 * FEW {
            nodes.share(format!("gone-{n}").as_str());
        }
        assert!(nodes.all.len() <= 2 * FEW, "{}", nodes.all.len());
        assert!(Arc::ptr_eq(&node, &nodes.share("node-1")));
    }

    #[test]
    fn many_in_use_are_not_looked_through_for_each_new_one() {
        let mut nodes = Shared::<str>::default();
        let used: Vec<_> = (0..3 * FEW)
            .map(|n| nodes.share(format!("node-{n}").as_str()))
            .collect();
        assert!(nodes.most > used.len(), "{}", nodes.most);
    }
}
