//! What is simulated, by number: every name and size follows from an index, so that the processes agree without talking.

/// Nodes of the whole fleet.
const NODES: u32 = 5_000;
/// Volumes that each node mounts.
pub const VOLUMES_OF_NODE: u32 = 30;
/// Members of each database, a volume each.
pub const MEMBERS: u32 = 3;
/// Databases of each namespace.
const DATABASES_OF_NAMESPACE: u32 = 10;
/// Capacity of each volume.
pub const CAPACITY: u64 = 100 << 30;
/// What a volume moves by before its agent tells: a thousandth of the capacity, or 16 MiB if that is less.
pub const STEP: u64 = 16 << 20;

/// A part of the whole fleet.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// Nodes, an agent on each.
    pub nodes: u32,
}

impl Fleet {
    /// So many percent of the whole.
    #[must_use]
    pub fn of(percent: u32) -> Self {
        Self {
            nodes: NODES * percent / 100,
        }
    }

    /// Volumes, each with a claim and a pod.
    #[must_use]
    pub const fn volumes(self) -> u32 {
        self.nodes * VOLUMES_OF_NODE
    }

    /// Databases.
    #[must_use]
    pub const fn databases(self) -> u32 {
        self.volumes() / MEMBERS
    }

    /// Namespaces.
    #[must_use]
    pub const fn namespaces(self) -> u32 {
        self.databases().div_ceil(DATABASES_OF_NAMESPACE)
    }

    /// The node that mounts a volume: members of a database are on different ones.
    #[must_use]
    pub const fn node_of(self, volume: u32) -> u32 {
        volume % self.nodes
    }

    /// The volumes of a node.
    pub fn volumes_of(self, node: u32) -> impl Iterator<Item = u32> {
        (0..VOLUMES_OF_NODE).map(move |n| node + n * self.nodes)
    }
}

/// A uid, of a kind of object by its letter.
#[must_use]
pub fn uid(kind: char, index: u32) -> String {
    format!("{index:08x}-{:04x}-4000-8000-{index:012x}", u32::from(kind))
}

/// A node.
#[must_use]
pub fn node(index: u32) -> String {
    format!("worker-{index:05}.zone-{}.internal", index % 3)
}

/// The namespace of a database.
#[must_use]
pub fn namespace(database: u32) -> String {
    namespace_name(database / DATABASES_OF_NAMESPACE)
}

/// A namespace.
#[must_use]
pub fn namespace_name(index: u32) -> String {
    format!("tenant-{index:05}")
}

/// A database, its PetSet too.
#[must_use]
pub fn database(index: u32) -> String {
    format!("pg-{index:05}")
}

/// The pod of a volume.
#[must_use]
pub fn pod(volume: u32) -> String {
    format!("{}-{}", database(volume / MEMBERS), volume % MEMBERS)
}

/// The claim of a volume.
#[must_use]
pub fn claim(volume: u32) -> String {
    format!("data-{}", pod(volume))
}

/// A PersistentVolume, named as provisioners do: by its claim's uid.
#[must_use]
pub fn pv(volume: u32) -> String {
    format!("pvc-{}", uid('c', volume))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_volume_is_on_one_node() {
        let fleet = Fleet::of(1);
        assert_eq!(
            (fleet.nodes, fleet.volumes(), fleet.databases()),
            (50, 1_500, 500)
        );
        let mut all: Vec<u32> = (0..fleet.nodes)
            .flat_map(|node| fleet.volumes_of(node).map(move |v| (node, v)))
            .inspect(|(node, volume)| assert_eq!(fleet.node_of(*volume), *node))
            .map(|(_, volume)| volume)
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..fleet.volumes()));
        assert_eq!(claim(5), "data-pg-00001-2");
    }
}
