//! Timelines: what a volume does, second by second, and what is to be decided of it, each with a sentence why.
//!
//! A timeline is a file, `NAME.timeline`; [`timeline`] says how it is written, [`play`] what is made of it, in a [`world`].
//! Those in `recorded/` are what a real PostgreSQL did to its disk (tests/timelines/record.sh); several timelines may be
//! about one of them. A file that no test of [`each`] plays fails `every_file_is_played`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a timeline that cannot be read must fail"
)]

mod play;
mod timeline;
mod world;

use std::collections::BTreeSet;

macro_rules! each {
    ($($name:ident)+) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];
        mod each { $(#[test] fn $name() { crate::play::check(stringify!($name)); })+ }
    };
}

each! {
    a_filesystem_that_grows_takes_space
    a_gap_is_no_burst
    a_long_fill
    a_peak_of_long_ago
    a_peak_that_lasted
    a_volume_that_hangs
    archive_catch_up
    back_beyond_the_peak
    back_to_the_peak
    blind_restart_among_teeth
    budget_bridged
    budget_comes_back
    budget_reserve_for_a_copy
    budget_spent
    budget_with_nothing_left
    burst_of_one_segment
    burst_of_the_page_cache
    checkpoint_sawtooth
    checkpoint_sawtooth_near_the_threshold
    copy_after_sawteeth
    copy_at_a_fifth
    copy_fast
    copy_into_a_fresh_volume
    copy_on_a_small_volume
    copy_that_ends_in_time
    copy_too_fast_for_any
    copy_with_fast_storage
    fast_sawtooth_after_its_first_tooth
    fast_sawtooth_for_the_first_time
    grown_by_somebody_else
    idle
    interval_between_modifications
    never_measured
    read_only_while_it_fills
    recorded_archive_catch_up
    recorded_checkpoints
    recorded_copy
    recorded_copy_indexed
    recorded_copy_on_fast_storage
    recorded_copy_with_room
    recorded_create_index
    recorded_delete_and_refill
    recorded_idle
    recorded_load_for_the_first_time
    recorded_nightly_reload
    recorded_nightly_reload_beside
    recorded_restore
    recorded_slot_keeps_wal
    recorded_temporary_files
    recorded_vacuum_full
    recorded_vacuum_full_for_the_first_time
    recorded_vacuum_full_on_slow_storage
    restart_among_teeth
    restart_in_a_copy
    runaway_exempt
    runaway_held
    sawtooth_that_creeps
    segments_one_after_another
    slow_crossing
    slow_growth
    stale_while_it_fills
    time_to_full_off
    upper_bound
    vacuum_full_again
}

/// Timelines of recordings in which the teeth come again.
const SAWTEETH: &[&str] = &[
    "recorded_archive_catch_up",
    "recorded_checkpoints",
    "recorded_create_index",
    "recorded_delete_and_refill",
    "recorded_nightly_reload",
    "recorded_nightly_reload_beside",
    "recorded_temporary_files",
    "recorded_vacuum_full",
];

/// Names of the files that end so.
fn files(within: &str, ending: &str) -> BTreeSet<String> {
    std::fs::read_dir(timeline::directory().join(within))
        .expect("the directory")
        .filter_map(|entry| {
            let name = entry.expect("an entry").file_name();
            Some(name.to_str()?.strip_suffix(ending)?.to_owned())
        })
        .collect()
}

#[test]
fn every_file_is_played() {
    let names: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files("", ".timeline"), names);
    assert!(names.len() >= 40, "{}", names.len());
}

/// Recordings, not timelines about them; each is played, and the recorder can make it again.
#[test]
fn more_than_ten_are_recorded() {
    let recorded: BTreeSet<String> = NAMES
        .iter()
        .filter_map(|name| timeline::read(name).recording)
        .collect();
    assert!(recorded.len() >= 10, "{recorded:?}");
    assert_eq!(files("recorded", ".data"), recorded);
    let recorder = timeline::directory().join("../../../../tests/timelines/record.sh");
    let recorder = std::fs::read_to_string(recorder).expect("the recorder");
    for name in recorded {
        assert!(
            recorder.contains(&format!("\n{name}() {{")),
            "record.sh makes no {name}"
        );
    }
}

/// A recorded sawtooth is told from a fill by the peak that it itself has made before: what its timeline expects, with the
/// memory of peaks taken away, does not hold.
#[test]
fn recorded_sawteeth_live_by_their_own_peaks() {
    let recordings: BTreeSet<String> = SAWTEETH
        .iter()
        .filter_map(|name| {
            let timeline = timeline::read(name);
            assert!(play::lives_by_its_peaks(&timeline), "{name} needs no memory");
            timeline.recording
        })
        .collect();
    assert_eq!(recordings.len(), SAWTEETH.len(), "{recordings:?}");
}
