//! The pods that mount a claim: whether there is something to measure, and whose measurements count.

use std::sync::Arc;

use control::watch::Key;

use crate::{
    index::Index,
    objects::{Objects, PodClaims},
    store::Mount,
};

/// The pods of one claim, as the watch has them now.
#[derive(Debug)]
pub(crate) struct Pods {
    claim: Key,
    pods: Vec<Arc<PodClaims>>,
}

impl Pods {
    /// The pods that may use `claim`.
    pub(crate) fn of(claim: &Key, index: &Index, objects: &Objects) -> Self {
        let keys = index.pods(claim);
        Self {
            claim: claim.clone(),
            pods: keys.iter().filter_map(|pod| objects.pods.get(pod)).collect(),
        }
    }

    /// One of them runs or starts.
    pub(crate) fn mount(&self) -> bool {
        self.pods.iter().any(|pod| !pod.ended && self.uses(pod))
    }

    /// The mount is one of theirs: its pod has this uid, is on this node, and uses the claim. What else is said of a
    /// volume may be anybody's.
    pub(crate) fn know(&self, mount: &Mount) -> bool {
        self.pods
            .iter()
            .any(|pod| pod.uid == mount.pod_uid && *pod.node == *mount.node && self.uses(pod))
    }

    /// A pod may be named as the claim's own and not use it, and the index may lag behind one that was replaced by another of
    /// its name.
    fn uses(&self, pod: &PodClaims) -> bool {
        pod.claims.iter().any(|claim| **claim == *self.claim.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_its_own_pods_say_on_their_own_nodes_counts() {
        let pod = |uid: &str, node: &str, ended, claim: &str| {
            Arc::new(PodClaims {
                uid: uid.into(),
                node: node.into(),
                ended,
                claims: [claim.into()].into(),
            })
        };
        let of = |pods: Vec<Arc<PodClaims>>| Pods {
            claim: Key::new("demo", "data-pg-0"),
            pods,
        };
        let mount = |uid: &str, node: &str| Mount {
            pv: "pv".into(),
            pod_uid: uid.into(),
            node: node.into(),
        };
        let pods = of(vec![
            pod("a", "node-1", false, "data-pg-0"),
            pod("b", "node-2", true, "data-pg-0"),
            pod("c", "node-1", false, "data-other-0"),
            pod("d", "", false, "data-pg-0"),
        ]);
        for (uid, node, known) in [
            ("a", "node-1", true),
            ("a", "node-2", false),
            ("b", "node-2", true),
            ("c", "node-1", false),
            ("d", "node-1", false),
            ("", "", false),
            ("e", "node-1", false),
        ] {
            assert_eq!(pods.know(&mount(uid, node)), known, "{uid} on {node:?}");
        }
        assert!(pods.mount());
        assert!(!of(vec![pod("b", "node-2", true, "data-pg-0")]).mount());
        assert!(!of(vec![pod("c", "node-1", false, "data-other-0")]).mount());
    }
}
