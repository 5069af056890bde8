//! Filesystems that are not one volume's: what agents tell of them ends in the decision not to grow.

use decider_core::{
    Claim, Database, Decision, Policy, PolicySpec, Profile, Resize, Volume as Member, decide,
};
use proto::usage::v1::{Changes, Snapshot, Volume, agent_message::Body};
use runtime::clock::Clock;
use units::{Bytes, Reason};

use crate::bed::{Bed, STALE, volume};

/// Far above the threshold, of the thousand bytes that each volume has.
const USED: u64 = 900;

impl Bed {
    /// What is decided for a database on this volume, whose claim has less than it shows, and of whose storage class nobody knows anything.
    fn decision(&self, pv: &str) -> Decision {
        let size = Bytes::new(999);
        let member = Member {
            claim: Claim {
                name: format!("data-{pv}"),
                request: size,
                capacity: size,
                device: size,
                charged: size,
                mounted: true,
                class: "plain".into(),
                expandable: true,
                other_controller: None,
            },
            usage: self.store.usage(pv, self.clock.now(), STALE, |_| true),
            resize: Resize::Settled,
            before_growth: None,
        };
        let spec = PolicySpec {
            trigger: Some("On".into()),
            ..PolicySpec::default()
        };
        let database = Database::of("demo/pg", vec![member]);
        let policy = Policy::read(&spec, STALE);
        decide(&database, &policy, &Profile::default(), self.clock.now())
    }

    fn reasons<const N: usize>(&self, volumes: [&str; N]) -> [Reason; N] {
        volumes.map(|pv| self.decision(pv).reason())
    }
}

fn on(index: u32, pv: &str, device: &str) -> Volume {
    Volume {
        device: device.into(),
        ..volume(index, pv, USED)
    }
}

const GROWS: Reason = Reason::ThresholdExceeded;
const SHARED: Reason = Reason::SharedFilesystem;

#[tokio::test]
async fn a_network_filesystem_is_not_grown() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let of = |index, pv, fs_type: &str| Volume {
        fs_type: fs_type.into(),
        ..volume(index, pv, USED)
    };
    agent
        .say(bed.snapshot(vec![
            of(0, "export", "nfs4"),
            of(1, "share", "cifs"),
            of(2, "disk", "ext4"),
        ]))
        .await;
    agent.ack().await;
    assert_eq!(bed.reasons(["export", "share", "disk"]), [SHARED, SHARED, GROWS]);
}

/// A driver that binds directories of the node's disk shows the whole disk for each of them.
#[tokio::test]
async fn two_volumes_on_one_device_are_not_grown() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let all = vec![on(0, "a", "259:1"), on(1, "b", "259:1"), on(2, "own", "259:2")];
    agent.say(bed.snapshot(all)).await;
    agent.ack().await;
    assert_eq!(bed.reasons(["a", "b", "own"]), [SHARED, SHARED, GROWS]);
    let text = bed.decision("a").record().text.clone();
    for word in ["data-a", "node-1", "other PersistentVolumes", "StorageProfile"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn one_volume_of_two_pods_and_devices_nobody_knows_are_shared_with_nobody() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    let second_pod = Volume {
        pod_uid: "another".into(),
        ..on(1, "a", "259:1")
    };
    let unknown = [
        on(2, "b", ""),
        on(3, "c", ""),
        on(4, "d", "0:0"),
        on(5, "e", "0:0"),
    ];
    let all = [on(0, "a", "259:1"), second_pod].into_iter().chain(unknown);
    agent.say(bed.snapshot(all.collect())).await;
    agent.ack().await;
    // Each node counts its devices for itself.
    let mut other = bed.connect().await;
    other.say(bed.hello("node-2")).await;
    other.say(bed.snapshot(vec![on(0, "f", "259:1")])).await;
    other.ack().await;
    assert_eq!(bed.reasons(["a", "b", "c", "d", "e", "f"]), [GROWS; 6]);
}

/// The last directory of a disk is one still; what got the number of a disk that has gone never was.
#[tokio::test]
async fn volumes_come_and_go() {
    let bed = Bed::new().await;
    let mut agent = bed.agent().await;
    agent
        .say(bed.snapshot(vec![on(0, "a", "259:1"), on(1, "gone", "259:2")]))
        .await;
    agent.ack().await;
    assert_eq!(bed.reasons(["a", "gone"]), [GROWS; 2]);
    let changes = |added: Vec<Volume>, gone: Vec<u32>| {
        Body::Changes(Changes {
            as_of_ms: bed.now_ms(),
            added,
            gone,
            ..Changes::default()
        })
    };
    agent
        .say(changes(vec![on(2, "b", "259:1"), on(3, "new", "259:2")], vec![1]))
        .await;
    agent.ack().await;
    assert_eq!(bed.reasons(["a", "b", "new"]), [SHARED, SHARED, GROWS]);
    agent.say(changes(Vec::new(), vec![2])).await;
    agent.ack().await;
    assert_eq!(bed.reasons(["a"]), [SHARED], "the last one");

    // A new stream, of which the old one's volumes are known until its snapshot is whole.
    let mut again = bed.agent().await;
    let part = |volumes, first| {
        Body::Snapshot(Snapshot {
            volumes,
            as_of_ms: bed.now_ms(),
            first,
            last: !first,
        })
    };
    again
        .say(part(vec![on(0, "a", "259:1"), on(1, "later", "259:2")], true))
        .await;
    again
        .say(part(vec![on(2, "own", "259:3"), on(3, "c", "259:1")], false))
        .await;
    again.ack().await;
    assert_eq!(
        bed.reasons(["a", "later", "own", "c"]),
        [SHARED, GROWS, GROWS, SHARED]
    );
}
