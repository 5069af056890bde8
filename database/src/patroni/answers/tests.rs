//! Answers of Patroni 4, as it gives them.

use serde_json::json;

use super::{ClusterMember, Role, State, cluster, config, member};
use crate::Lsn;

fn read(members: serde_json::Value) -> Vec<ClusterMember> {
    cluster(json!({"members": members, "scope": "db"}).to_string().as_bytes())
        .unwrap()
        .members
}

#[test]
fn a_healthy_cluster() {
    let body = br#"{"members": [
        {"name": "db-0", "role": "leader", "state": "running", "api_url": "http://10.0.0.4:8008/patroni",
         "host": "10.0.0.4", "port": 5432, "timeline": 3},
        {"name": "db-1", "role": "sync_standby", "state": "streaming", "api_url": "http://10.0.0.5:8008/patroni",
         "host": "10.0.0.5", "port": 5432, "timeline": 3, "receive_lag": 0, "receive_lsn": "0/4000148",
         "replay_lag": 0, "replay_lsn": "0/4000148", "lag": 0, "lsn": "0/4000148"},
        {"name": "db-2", "role": "replica", "state": "in archive recovery", "host": "10.0.0.6", "port": 5432,
         "timeline": 2, "tags": {"nofailover": true}, "pending_restart": true, "lag": 16777216}
      ], "scope": "db", "pause": true}"#;
    let seen = cluster(body).unwrap();
    assert!(seen.paused);
    assert_eq!(seen.leader().map(|leader| leader.name.as_str()), Some("db-0"));
    let row = |name: &str| {
        let member = seen.member(name).unwrap();
        (
            member.role,
            member.state.clone(),
            member.timeline,
            member.lag,
            member.port,
        )
    };
    assert_eq!(
        row("db-0"),
        (Role::Leader, State::Running, Some(3), None, Some(5432))
    );
    assert_eq!(
        row("db-1"),
        (Role::SyncStandby, State::Streaming, Some(3), Some(0), Some(5432))
    );
    let behind = (
        Role::Replica,
        State::InArchiveRecovery,
        Some(2),
        Some(16_777_216),
        Some(5432),
    );
    assert_eq!(row("db-2"), behind);
}

#[test]
fn a_member_that_does_not_run_yet_says_little() {
    let seen = read(json!([
        {"name": "db-1", "role": "replica", "state": "starting", "api_url": "http://10.0.0.5:8008/patroni",
         "host": "10.0.0.5", "port": 5432, "lag": "unknown", "lsn": "unknown"},
        {"name": "db-2", "role": "replica", "state": "", "api_url": "http://10.0.0.6:8008/patroni"},
        {"name": "db-3", "role": "replica"},
    ]));
    assert_eq!((seen[0].lag, &seen[0].state), (None, &State::Starting));
    assert_eq!((seen[1].host.as_deref(), &seen[1].state), (None, &State::Unknown));
    assert_eq!(seen[2].state, State::Unknown);
}

#[test]
fn words_of_roles() {
    for (word, role) in [
        ("leader", Role::Leader),
        ("standby_leader", Role::StandbyLeader),
        ("sync_standby", Role::SyncStandby),
        ("quorum_standby", Role::QuorumStandby),
        ("replica", Role::Replica),
        ("uninitialized", Role::Other),
        ("a word to come", Role::Other),
    ] {
        assert_eq!(read(json!([{"name": "m", "role": word}]))[0].role, role, "{word}");
    }
}

#[test]
fn words_of_states() {
    for (word, state, up) in [
        ("running", State::Running, true),
        ("streaming", State::Streaming, true),
        ("in archive recovery", State::InArchiveRecovery, true),
        ("starting", State::Starting, false),
        ("restarting", State::Starting, false),
        ("creating replica", State::CreatingReplica, false),
        ("stopping", State::Stopping, false),
        ("stopped", State::Stopped, false),
        ("start failed", State::Failed("start failed".into()), false),
        ("crashed", State::Failed("crashed".into()), false),
        (
            "initializing new cluster",
            State::Other("initializing new cluster".into()),
            false,
        ),
    ] {
        let seen = read(json!([{"name": "m", "role": "replica", "state": word}]));
        assert_eq!((&seen[0].state, seen[0].state.is_up()), (&state, up), "{word}");
        if word != "restarting" {
            assert_eq!(state.to_string(), word);
        }
    }
}

#[test]
fn a_primary_and_a_standby_about_themselves() {
    let primary = member(
        br#"{"state": "running", "postmaster_start_time": "2026-11-26 19:39:26.352526+00:00", "role": "primary",
             "server_version": 150018, "xlog": {"location": 67395656}, "timeline": 1,
             "replication": [{"usename": "replicator", "application_name": "db-1", "client_addr": "10.0.0.5",
                              "state": "streaming", "sync_state": "async", "sync_priority": 0}],
             "dcs_last_seen": 1692356718, "database_system_identifier": "7268616322854375442",
             "patroni": {"version": "4.1.5", "scope": "db", "name": "db-0"}}"#,
    )
    .unwrap();
    assert_eq!(
        (primary.role, primary.furthest()),
        (Role::Leader, Some(Lsn(67_395_656)))
    );
    assert_eq!(primary.replication[0].application_name, "db-1");

    let standby = member(
        br#"{"state": "running", "role": "replica", "server_version": 150018, "replication_state": "streaming",
             "xlog": {"received_location": 67419744, "replayed_location": 67419000, "replayed_timestamp": null,
                      "paused": false}, "timeline": 1, "cluster_unlocked": true, "pending_restart": true}"#,
    )
    .unwrap();
    assert_eq!((standby.role, &standby.state), (Role::Replica, &State::Streaming));
    assert_eq!(standby.furthest(), Some(Lsn(67_419_744)));
    assert!(standby.unlocked && standby.pending_restart && !standby.paused);
}

#[test]
fn a_member_whose_server_is_down() {
    let down =
        member(br#"{"state": "stopped", "role": "replica", "patroni": {"version": "4.1.5"}}"#).unwrap();
    assert_eq!(
        (down.state, down.timeline, down.location),
        (State::Stopped, None, None)
    );
}

#[test]
fn what_is_no_answer_is_an_error() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>busy</html>",
        r#"{"members": {}}"#,
        r#"{"members": [{"role": "leader"}]}"#,
    ] {
        assert!(cluster(body.as_bytes()).is_err(), "{body}");
        assert!(member(body.as_bytes()).is_err(), "{body}");
    }
    assert!(config(b"null").is_err());
    assert_eq!(config(br#"{"ttl": 20}"#).unwrap(), json!({"ttl": 20}));
}
