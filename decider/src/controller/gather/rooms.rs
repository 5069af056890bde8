//! The room that a namespace leaves for its claims.

use arcstr::ArcStr;
use control::watch::Key;
use decider_core::Room;

use crate::objects::Objects;

/// Room that these quotas and limit ranges, those of the namespace, leave for claims of these classes.
pub(super) fn rooms(
    objects: &Objects,
    (quotas, limits): &(Vec<Key>, Vec<Key>),
    classes: &[ArcStr],
) -> Vec<Room> {
    let quotas = quotas
        .iter()
        .filter_map(|key| Some((key, objects.quotas.get(key)?)));
    let limits = limits
        .iter()
        .filter_map(|key| Some((key, objects.limits.get(key)?)));
    let mut rooms = Vec::new();
    for (key, quota) in quotas {
        let ours = quota.left.iter().filter(|(class, _)| {
            class
                .as_deref()
                .is_none_or(|class| classes.iter().any(|ours| **ours == *class))
        });
        rooms.extend(ours.map(|(_, left)| Room::Sum {
            what: format!("ResourceQuota {}", key.name),
            left: *left,
        }));
    }
    rooms.extend(limits.map(|(key, limit)| Room::Each {
        what: format!("LimitRange {}", key.name),
        max: limit.max,
    }));
    rooms.sort_by_key(|room| match room {
        Room::Sum { what, .. } | Room::Each { what, .. } => what.clone(),
    });
    rooms
}
