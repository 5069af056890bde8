//! The probe process: the real program, asked over its pipes.

use std::{
    io,
    path::{Path, PathBuf},
};

use agent::{
    probe::Probe,
    statfs::{Direct, StatFs},
};

fn probe() -> Probe {
    Probe::new(PathBuf::from(env!("CARGO_BIN_EXE_highwater-agent")))
}

#[test]
fn answers_as_the_call_itself() {
    let probe = probe();
    for _ in 0..3 {
        let (theirs, ours) = (
            probe.statfs(Path::new("/")).unwrap(),
            Direct.statfs(Path::new("/")).unwrap(),
        );
        assert_eq!(
            (theirs.capacity, theirs.inodes_total),
            (ours.capacity, ours.inodes_total)
        );
    }
    assert_eq!(
        probe.statfs(Path::new("/nowhere")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_eq!(
        probe
            .statfs(Path::new(&format!("/{}", "x".repeat(9000))))
            .unwrap_err()
            .kind(),
        io::ErrorKind::InvalidFilename
    );
    assert!(probe.statfs(Path::new("/")).is_ok());
}

#[test]
fn one_that_was_killed_is_started_again() {
    let probe = probe();
    probe.statfs(Path::new("/")).unwrap();
    probe.abort();
    assert!(probe.statfs(Path::new("/")).is_err());
    assert!(probe.statfs(Path::new("/")).is_ok());
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let probe = Probe::new(PathBuf::from("/nowhere/agent"));
    assert_eq!(
        probe.statfs(Path::new("/")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
}
