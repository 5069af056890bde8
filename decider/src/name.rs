//! The name of a request: the same from every replica, whatever size each of them computes.

use api::names::REQUEST_PREFIX;
use sha2::{Digest, Sha256};
use units::Bytes;

/// Characters after the last dash.
const SUFFIX: usize = 6;
/// Names stay usable as a label value and a host name.
const LONGEST: usize = 63;
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// `pgops-<db>-` and six characters from who asks, for what database, at what size, for the how-manieth time.
/// Never from the size asked for, which two deciders may compute differently. A long database name is cut.
#[must_use]
pub(crate) fn request_name(
    database: &str,
    autoscaler_uid: &str,
    database_uid: &str,
    base: Bytes,
    attempt: u32,
) -> String {
    let mut hash = Sha256::new();
    for part in [
        autoscaler_uid,
        database_uid,
        &base.get().to_string(),
        &attempt.to_string(),
    ] {
        hash.update(part.as_bytes());
        // No part can contain it: the parts cannot run into each other.
        hash.update(b"\n");
    }
    let room = LONGEST - REQUEST_PREFIX.len() - SUFFIX - 2;
    let cut = runtime::report::truncated(database, room).trim_end_matches(['-', '.']);
    let suffix: String = hash
        .finalize()
        .iter()
        .take(SUFFIX)
        .filter_map(|b| ALPHABET.get(usize::from(*b) % 36))
        .map(|c| char::from(*c))
        .collect();
    format!("{REQUEST_PREFIX}-{cut}-{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_from_every_replica_and_another_for_every_attempt() {
        let name = |base, attempt| request_name("pg", "a-uid", "d-uid", Bytes::new(base), attempt);
        assert_eq!(name(1, 0), name(1, 0));
        let mut names: Vec<_> = (0..50)
            .flat_map(|base| (0..10).map(move |n| name(base, n)))
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 500);
        assert_ne!(
            request_name("pg", "a", "b", Bytes::new(11), 1),
            request_name("pg", "a", "b", Bytes::new(1), 11)
        );
        assert_ne!(name(1, 0), request_name("pg", "other", "d-uid", Bytes::new(1), 0));
        assert_ne!(name(1, 0), request_name("pg", "a-uid", "other", Bytes::new(1), 0));
    }

    #[test]
    fn fits_kubernetes_whatever_the_database_is_called() {
        for database in [
            "pg",
            &"x".repeat(253),
            &format!("{}-tail", "y".repeat(49)),
            "ha-postgres",
        ] {
            let name = request_name(database, "a", "b", Bytes::GIB, 3);
            assert!(name.len() <= 63, "{name}");
            assert!(!name.contains("--"), "{name}");
            let suffix = name.rsplit('-').next().unwrap();
            assert!(
                suffix.len() == 6 && suffix.bytes().all(|c| ALPHABET.contains(&c)),
                "{name}"
            );
        }
        assert!(request_name("ha-postgres", "a", "b", Bytes::GIB, 0).starts_with("pgops-ha-postgres-"));
    }
}
