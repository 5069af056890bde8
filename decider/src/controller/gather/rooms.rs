//! The room that a namespace leaves for its claims.

use decider_core::Room;

use crate::objects::Objects;

/// Room that quotas and limit ranges of the namespace leave for claims of these classes.
pub(super) fn rooms(objects: &Objects, namespace: &str, classes: &[String]) -> Vec<Room> {
    let here = |key: &control::watch::Key| *key.namespace == *namespace;
    let quotas = objects.quotas.matching(|key, _| here(key));
    let limits = objects.limits.matching(|key, _| here(key));
    let sums = quotas.iter().flat_map(|(key, quota)| {
        let ours = quota
            .left
            .iter()
            .filter(|(class, _)| class.as_ref().is_none_or(|c| classes.contains(c)));
        ours.map(|(_, left)| Room::Sum {
            what: format!("ResourceQuota {}", key.name),
            left: *left,
        })
    });
    let each = limits.iter().map(|(key, limit)| Room::Each {
        what: format!("LimitRange {}", key.name),
        max: limit.max,
    });
    let mut rooms: Vec<Room> = sums.chain(each).collect();
    rooms.sort_by_key(|room| match room {
        Room::Sum { what, .. } | Room::Each { what, .. } => what.clone(),
    });
    rooms
}
