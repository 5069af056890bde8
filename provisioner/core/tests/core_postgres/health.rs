use provisioner_core::postgres::{
    Finding,
    health::{Answer, Kept, Member, Primary, Said, retained, said},
};
use units::{Bytes, Reason};

fn members() -> Vec<Member> {
    (0..3)
        .map(|ordinal| Member {
            name: format!("db-{ordinal}"),
            exists: true,
            runs: true,
            ready: true,
            leads: ordinal == 0,
            trouble: None,
        })
        .collect()
}

fn works(streaming: &[&str]) -> Answer {
    Answer::Works(Primary {
        streaming: streaming.iter().map(|name| (*name).to_owned()).collect(),
        kept: Vec::new(),
    })
}

fn of<'a>(all: &'a [Said], kind: &str) -> &'a Said {
    all.iter().find(|said| said.kind == kind).unwrap()
}

#[test]
fn a_healthy_database_is_provisioned() {
    let all = said("demo/db", &members(), &works(&["db-1", "db-2"]), false);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|said| said.status), "{all:?}");
}

#[test]
fn before_anybody_asked_nothing_is_said_of_connections() {
    let all = said("demo/db", &members(), &Answer::Unknown, false);
    assert_eq!(
        all.iter().map(|said| said.kind).collect::<Vec<_>>(),
        ["ReplicaReady"]
    );
}

#[test]
fn each_member_that_lacks_something_is_named_with_what_to_do() {
    let answer = works(&["db-1"]);
    let all = said("demo/db", &members(), &answer, true);
    let replicas = of(&all, "ReplicaReady");
    assert_eq!(
        (replicas.status, replicas.finding.reason),
        (false, Reason::MemberNotStreaming)
    );
    assert!(
        replicas.finding.message.contains("member db-2"),
        "{}",
        replicas.finding.message
    );
    assert!(!of(&all, "Ready").status);
    assert!(of(&all, "AcceptingConnection").status);

    let mut gone = members();
    gone[1].exists = false;
    gone[2].ready = false;
    gone[2].runs = false;
    gone[2].trouble = Some(Finding::new(Reason::ImagePullFailed, "no image; do that"));
    let all = said("demo/db", &gone, &works(&[]), true);
    let message = &of(&all, "ReplicaReady").finding.message;
    assert!(
        message.contains("pod db-1 does not exist") && message.contains("do that"),
        "{message}"
    );
    assert!(!said("demo/db", &[], &works(&[]), true)[0].status);
}

#[test]
fn a_failing_primary_says_why_and_stays_provisioned() {
    let fails = Answer::Fails(Finding::new(Reason::VolumeFull, "its volume is full"));
    let all = said("demo/db", &members(), &fails, true);
    assert!(!of(&all, "AcceptingConnection").status && !of(&all, "Ready").status);
    assert!(of(&all, "Ready").finding.message.contains("its volume is full"));
    assert!(of(&all, "Provisioned").status);
    assert!(
        said("demo/db", &members(), &fails, false)
            .iter()
            .all(|said| said.kind != "Provisioned")
    );
}

#[test]
fn kept_wal_is_told_when_it_matters_in_words_that_stand_still() {
    let slot = |mib: u64| Kept::Slot {
        name: "db_2".to_owned(),
        bytes: Bytes::new(mib << 20),
    };
    let volume = Bytes::GIB;
    assert_eq!(
        retained(&[slot(50)], volume),
        None,
        "less than a twentieth of the volume"
    );
    let finding = retained(&[slot(70)], volume).unwrap();
    assert_eq!(finding.reason, Reason::SlotRetainsWal);
    assert!(
        finding.message.contains("db_2") && finding.message.contains("at least 64Mi"),
        "{}",
        finding.message
    );
    assert_eq!(retained(&[slot(100)], volume), Some(finding));
    let archiver = Kept::Archiver {
        file: "000000010000000000000002".to_owned(),
        bytes: Bytes::ZERO,
    };
    assert_eq!(
        retained(&[archiver], volume).unwrap().reason,
        Reason::ArchiverFailing
    );
}
