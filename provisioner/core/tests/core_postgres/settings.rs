use std::collections::BTreeMap;

use proptest::prelude::*;
use provisioner_core::postgres::settings::{Keep, Room, derived, effective, segment_mb};
use units::Bytes;

fn gib(n: u64) -> Bytes {
    Bytes::new(n << 30)
}

fn mb(text: &str) -> u64 {
    text.strip_suffix("MB").unwrap().parse().unwrap()
}

#[test]
fn small_volumes_get_the_measured_values() {
    let table = [
        (300 << 20, Some(gib(1)), 4, 16, 16, 90, 16, 1),
        (1 << 30, Some(gib(1)), 32, 64, 32, 307, 32, 16),
        (10 << 30, Some(gib(1)), 320, 640, 320, 3072, 256, 16),
        (1 << 40, Some(gib(64)), 1024, 16384, 1536, 314_572, 16384, 16),
        (1 << 40, None, 1024, 16384, 1536, 314_572, 128, 16),
        (0, None, 4, 16, 16, 32, 16, 1),
    ];
    for (volume, memory, min, max, keep, slot, buffers, segment) in table {
        let volume = Bytes::new(volume);
        let all = derived(Room { volume, memory }, Keep::default());
        let found = [
            "min_wal_size",
            "max_wal_size",
            "wal_keep_size",
            "max_slot_wal_keep_size",
            "shared_buffers",
        ]
        .map(|name| mb(&all[name]));
        assert_eq!(found, [min, max, keep, slot, buffers], "{volume}");
        assert_eq!(segment_mb(volume), segment, "{volume}");
    }
}

#[test]
fn the_users_word_counts_but_cannot_take_the_bound_off() {
    let room = Room {
        volume: gib(10),
        memory: None,
    };
    let keep = Keep {
        wal: Some(gib(100)),
        slot: Some(gib(1)),
    };
    let all = derived(room, keep);
    assert_eq!(
        all["wal_keep_size"], "3072MB",
        "KubeDB's default of 1536 MB would fill a small volume"
    );
    assert_eq!(all["max_slot_wal_keep_size"], "1024MB");
    let user = BTreeMap::from([
        ("max_slot_wal_keep_size".to_owned(), "-1".to_owned()),
        ("max_wal_size".to_owned(), "2GB".to_owned()),
    ]);
    let all = effective(all, &user);
    assert_eq!(all["max_slot_wal_keep_size"], "1024MB");
    assert_eq!(all["max_wal_size"], "2GB");
}

proptest! {
    /// What PostgreSQL demands, and what keeps a volume from filling: at any size.
    #[test]
    fn wal_fits_the_volume(volume in (300u64 << 20)..(1 << 46), memory in proptest::option::of((64u64 << 20)..(1 << 42))) {
        let room = Room { volume: Bytes::new(volume), memory: memory.map(Bytes::new) };
        let all = derived(room, Keep::default());
        let size = |name: &str| mb(&all[name]) << 20;
        let segment = u64::from(segment_mb(room.volume)) << 20;
        prop_assert!(size("min_wal_size") >= 2 * segment);
        prop_assert!(size("max_wal_size") >= size("min_wal_size"));
        prop_assert!(size("wal_keep_size") + size("max_wal_size") <= volume / 8);
        prop_assert!(size("max_slot_wal_keep_size") <= volume / 3);
        prop_assert!(size("shared_buffers") >= 16 << 20);
        if let Some(memory) = memory {
            prop_assert!(size("shared_buffers") <= (memory / 4).max(16 << 20));
        }
    }

    /// Growing never makes anything smaller.
    #[test]
    fn a_growth_takes_nothing_away(volume in 0u64..(1 << 45), more in 0u64..(1 << 45)) {
        let of = |volume| derived(Room { volume: Bytes::new(volume), memory: None }, Keep::default());
        let (before, after) = (of(volume), of(volume + more));
        for name in ["min_wal_size", "max_wal_size", "wal_keep_size", "max_slot_wal_keep_size", "shared_buffers"] {
            prop_assert!(mb(&before[name]) <= mb(&after[name]), "{}", name);
        }
    }
}
