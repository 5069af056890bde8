//! Sessions with a real PostgreSQL, started here on this machine: it is installed when missing (or the test fails and names it).

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

mod server;

use std::time::Duration;

use database::sql::{Error, Login, Session, Streaming};
use server::{PASSWORD, Server};
use tokio::net::TcpListener;

/// Long enough for a busy machine, where an answer is expected.
const PATIENT: Duration = Duration::from_secs(20);

fn login() -> Login {
    Login {
        user: "postgres".into(),
        password: PASSWORD.into(),
        database: "postgres".into(),
    }
}

async fn session(server: &Server) -> Session {
    Session::connect(server.addr(), &login(), PATIENT).await.unwrap()
}

/// The receiver that is as wanted, once there is one.
async fn receiver(session: &mut Session, wanted: impl Fn(&Streaming) -> bool) -> Streaming {
    let seen = async {
        loop {
            let seen = session.replication().await.unwrap();
            if let Some(stream) = seen.into_iter().find(|stream| wanted(stream)) {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENT, seen).await.unwrap()
}

#[tokio::test]
async fn a_primary_answers() {
    let server = Server::primary().unwrap();
    let mut session = session(&server).await;
    assert!(!session.is_in_recovery().await.unwrap());
    let before = session.position().await.unwrap();
    session.write_check().await.unwrap();
    assert!(session.position().await.unwrap() > before);
    assert!(session.checkpoint().await.unwrap() <= before);
    assert_eq!(session.replication().await.unwrap(), []);
}

#[tokio::test]
async fn slots_are_listed_and_dropped() {
    let server = Server::primary().unwrap();
    let mut session = session(&server).await;
    assert!(!session.drop_slot("db_1").await.unwrap());
    server
        .psql("SELECT pg_create_physical_replication_slot('db_1', true)")
        .unwrap();
    server
        .psql("SELECT pg_create_physical_replication_slot('db_2')")
        .unwrap();
    server.psql("SELECT pg_switch_wal()").unwrap();
    let slots = session.slots().await.unwrap();
    let names: Vec<_> = slots.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(names, ["db_1", "db_2"]);
    assert_eq!(
        (slots[0].slot_type.as_str(), slots[0].active),
        ("physical", false)
    );
    assert_eq!(slots[0].wal_status.as_deref(), Some("reserved"));
    assert!(slots[0].retained_bytes > 0 && slots[0].restart_lsn.is_some());
    assert_eq!((slots[1].retained_bytes, slots[1].restart_lsn), (0, None));
    assert!(session.drop_slot("db_1").await.unwrap());
    assert_eq!(session.slots().await.unwrap().len(), 1);
}

#[tokio::test]
async fn archiving_that_fails_is_seen() {
    let server = Server::primary().unwrap();
    let mut session = session(&server).await;
    let archiver = session.archiver().await.unwrap();
    assert!(archiver.on && archiver.failing_since().is_none(), "{archiver:?}");
    server.psql("SELECT pg_switch_wal()").unwrap();
    let failing = async {
        loop {
            let archiver = session.archiver().await.unwrap();
            if archiver.failing_since().is_some() {
                return archiver;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let archiver = tokio::time::timeout(PATIENT, failing).await.unwrap();
    assert!(archiver.waiting_bytes >= 1024 * 1024, "{archiver:?}");
    assert!(archiver.last_failed_wal.is_some());
}

#[tokio::test]
async fn a_standby_streams_and_refuses_writes() {
    let server = Server::primary().unwrap();
    let standby = server.standby("db-1", "db_1").unwrap();
    let mut session = session(&server).await;
    let stream = receiver(&mut session, Streaming::is_streaming).await;
    assert_eq!(
        (stream.application_name.as_str(), stream.sync_state.as_str()),
        ("db-1", "async")
    );
    let in_use = session.drop_slot("db_1").await;
    assert!(
        matches!(&in_use, Err(Error::Refused { code, .. }) if code == "55006"),
        "{in_use:?}"
    );

    let mut follower = Session::connect(standby.addr(), &login(), PATIENT).await.unwrap();
    assert!(follower.is_in_recovery().await.unwrap());
    assert!(follower.position().await.unwrap() <= session.position().await.unwrap());
    assert_eq!(follower.slots().await.unwrap(), []);
    let refused = follower.write_check().await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    // A refusal costs the statement, not the session.
    assert!(follower.is_in_recovery().await.unwrap());
}

#[tokio::test]
async fn the_segment_ends_for_a_member_that_waits_and_for_nobody_else() {
    let server = Server::primary().unwrap();
    let mut session = session(&server).await;
    let others = server.waiting("other-1").unwrap();
    receiver(&mut session, Streaming::is_starting).await;
    tokio::time::sleep(Duration::from_secs(4)).await; // longer than a member needs to begin
    assert!(!session.end_segment_for_waiting().await.unwrap());
    drop(others);

    let _member = server.waiting("db-1").unwrap();
    receiver(&mut session, |stream| stream.application_name == "db-1").await;
    let before = session.position().await.unwrap();
    let ended = async {
        while !session.end_segment_for_waiting().await.unwrap() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENT, ended).await.unwrap();
    let segment = |lsn: database::Lsn| lsn.0 >> 20;
    assert!(segment(session.position().await.unwrap()) > segment(before));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = Server::primary().unwrap();
    let wrong = Login {
        password: "wrong".into(),
        ..login()
    };
    let refused = Session::connect(server.addr(), &wrong, PATIENT).await;
    assert!(matches!(refused, Err(Error::Unauthorised(_))), "{refused:?}");
    let absent = Login {
        database: "absent".into(),
        ..login()
    };
    let refused = Session::connect(server.addr(), &absent, PATIENT).await;
    assert!(
        matches!(&refused, Err(Error::Refused { code, .. }) if code == "3D000"),
        "{refused:?}"
    );

    let mut session = session(&server).await;
    drop(server);
    let lost = session.position().await;
    assert!(
        matches!(lost, Err(Error::Unreachable(..) | Error::NotAccepting(_))),
        "{lost:?}"
    );
    let closed = session.position().await;
    assert!(
        matches!(closed, Err(Error::Closed(_) | Error::Unreachable(..))),
        "{closed:?}"
    );
}

#[tokio::test]
async fn one_that_never_answers_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let silent = Session::connect(addr, &login(), Duration::from_millis(200)).await;
    assert!(matches!(silent, Err(Error::TimedOut(..))), "{silent:?}");
    drop(listener);
    let gone = Session::connect(addr, &login(), PATIENT).await;
    assert!(matches!(gone, Err(Error::Unreachable(..))), "{gone:?}");
}
