//! Revisions: which is rolled out, which is the one before, which are forgotten.

use super::{Pod, Revision, Set, plan::Step};

/// Characters of a hash: no vowels, so that it spells nothing (`SafeEncodeString` of Kubernetes' `util/rand`).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Longest part of the set's name in a revision's (`ControllerRevisionName` of Kubernetes' `controller/history`).
const NAME_MAX: usize = 223;

/// The hash of a revision's data, as Kubernetes makes it: 32-bit FNV-1 of the data and of the number of collisions.
#[must_use]
pub fn revision_hash(data: &[u8], collisions: i32) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in data.iter().chain(collisions.to_string().as_bytes()) {
        hash = hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte);
    }
    let letter = |digit: u8| ALPHABET.get(usize::from(digit) % ALPHABET.len()).copied();
    hash.to_string()
        .bytes()
        .filter_map(letter)
        .map(char::from)
        .collect()
}

/// The name of a revision of a set.
#[must_use]
pub fn revision_name(set: &str, hash: &str) -> String {
    let cut = set
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|at| *at <= NAME_MAX)
        .last();
    let prefix = if set.len() > NAME_MAX {
        set.get(..cut.unwrap_or(0)).unwrap_or(set)
    } else {
        set
    };
    format!("{prefix}-{hash}")
}

/// How often a name was taken, counting once more.
#[must_use]
pub fn collides(set: &Set) -> i32 {
    collisions(set).saturating_add(1)
}

/// How often a name was taken.
pub(super) fn collisions(set: &Set) -> i32 {
    set.collisions.max(set.stored.collision_count.unwrap_or(0))
}

/// The revisions that count: the one that pods get, and the one that pods had.
pub(super) struct Revisions<'a> {
    pub(super) current: &'a str,
    pub(super) update: &'a str,
}

/// Oldest first.
fn sorted(set: &Set) -> Vec<&Revision> {
    let mut revisions: Vec<_> = set.revisions.iter().collect();
    revisions.sort_by(|a, b| (a.number, a.created, &a.name).cmp(&(b.number, b.created, &b.name)));
    revisions
}

/// The revisions that count, or what is to be written before they do.
pub(super) fn revisions(set: &Set) -> Result<Revisions<'_>, Step> {
    let sorted = sorted(set);
    if let Some(orphan) = sorted.iter().find(|revision| revision.is_orphan) {
        return Err(Step::AdoptRevision {
            name: orphan.name.clone(),
        });
    }
    let newest = sorted.last();
    let number = newest.map_or(1, |revision| revision.number.saturating_add(1));
    let present = sorted.iter().rev().find(|revision| revision.is_present);
    let update = match (present, newest) {
        (Some(present), Some(newest)) if present.name == newest.name => newest,
        // Back to an earlier template: its revision becomes the newest.
        (Some(present), _) => {
            return Err(Step::RenumberRevision {
                name: present.name.clone(),
                to: number,
            });
        }
        (None, _) => {
            let hash = revision_hash(&set.template, collisions(set));
            return Err(Step::CreateRevision {
                name: revision_name(&set.name, &hash),
                hash,
                number,
            });
        }
    };
    let stored = set.stored.current_revision.as_deref();
    let current = sorted
        .iter()
        .find(|revision| Some(revision.name.as_str()) == stored);
    Ok(Revisions {
        current: &current.unwrap_or(update).name,
        update: &update.name,
    })
}

/// What counts while the set is being deleted, when nothing is written any more.
pub(super) fn last_known(set: &Set) -> Revisions<'_> {
    Revisions {
        current: set.stored.current_revision.as_deref().unwrap_or_default(),
        update: set.stored.update_revision.as_deref().unwrap_or_default(),
    }
}

/// The oldest revision that no pod has and that is beyond the limit.
pub(super) fn superfluous(set: &Set, revisions: &Revisions<'_>) -> Option<Step> {
    let limit = set.spec.history_limit?;
    let lives = |name: &str| {
        let has = |pod: &Pod| pod.revision == name;
        name == revisions.current || name == revisions.update || set.owned().any(has)
    };
    let past: Vec<_> = sorted(set)
        .into_iter()
        .filter(|revision| !lives(&revision.name))
        .collect();
    let oldest = past.first().filter(|_| past.len() > limit)?;
    Some(Step::DeleteRevision {
        name: oldest.name.clone(),
    })
}
