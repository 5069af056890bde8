//! What many objects have in common: names, above all.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use arcstr::ArcStr;

/// Less than this is not worth a look for what nobody uses any more.
const FEW: usize = 64;

/// What is equal is kept once. What no object uses any more goes when there is twice as much as was in use.
#[derive(Debug)]
pub struct Shared<S> {
    all: HashSet<S>,
    /// At this many, those are let go that nobody uses.
    most: usize,
}

/// What clones share.
pub trait Counted: Clone + Eq + Hash {
    /// There is another clone than this one.
    fn is_used(&self) -> bool;
}

impl<T: Eq + Hash> Counted for Arc<T> {
    fn is_used(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl Counted for ArcStr {
    fn is_used(&self) -> bool {
        Self::strong_count(self).is_none_or(|count| count > 1)
    }
}

impl<S> Default for Shared<S> {
    fn default() -> Self {
        Self {
            all: HashSet::new(),
            most: FEW,
        }
    }
}

impl<S: Counted> Shared<S> {
    /// The one that is equal to it, if there is one.
    fn known<Q: Eq + Hash + ?Sized>(&self, one: &Q) -> Option<S>
    where
        S: Borrow<Q>,
    {
        self.all.get(one).cloned()
    }

    /// The one that is equal to it, shared with all that have it.
    pub fn share(&mut self, one: S) -> S {
        if let Some(known) = self.known(&one) {
            return known;
        }
        if self.all.len() >= self.most {
            self.all.retain(S::is_used);
            self.most = self.all.len().max(FEW) * 2;
        }
        self.all.insert(one.clone());
        one
    }
}

/// Names that objects of several kinds have in common: each is kept once. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Words(Arc<Mutex<Shared<ArcStr>>>);

impl Words {
    /// The word, shared with all that have it.
    #[must_use]
    pub fn share(&self, word: &str) -> ArcStr {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.known(word).unwrap_or_else(|| all.share(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_kept_once_and_only_while_it_is_used() {
        let mut nodes = Shared::<ArcStr>::default();
        let node = nodes.share("node-1".into());
        assert!(ArcStr::ptr_eq(&node, &nodes.share("node-1".into())));
        for n in 0..10 * FEW {
            nodes.share(format!("gone-{n}").into());
        }
        assert!(nodes.all.len() <= 2 * FEW, "{}", nodes.all.len());
        assert!(ArcStr::ptr_eq(&node, &nodes.share("node-1".into())));
    }

    #[test]
    fn many_in_use_are_not_looked_through_for_each_new_one() {
        let mut nodes = Shared::<ArcStr>::default();
        let used: Vec<_> = (0..3 * FEW)
            .map(|n| nodes.share(format!("node-{n}").into()))
            .collect();
        assert!(nodes.most > used.len(), "{}", nodes.most);
    }
}
