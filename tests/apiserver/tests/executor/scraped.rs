//! How long the parts of a growth took, as a scrape reads it.

use std::{net::SocketAddr, time::Duration};

use api::{names::ANNOTATION_DECIDED, ops::v1alpha1::PostgresOpsRequest};
use executor::test_parts;
use runtime::clock::{Clock, SystemClock};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{
    server::until,
    world::{DATABASE, Plan, World},
};

/// Far above what anything else here takes.
const KUBELETS_STEP: Duration = Duration::from_secs(2);

/// From the decision to the request: more than the whole seconds of its creation can hide.
const DECIDED_BEFORE: Duration = Duration::from_millis(5_500);

/// Count and sum of a histogram.
async fn scraped(admin: SocketAddr, name: &str) -> (f64, f64) {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let get = b"GET /metrics HTTP/1.1\r\nHost: executor\r\nConnection: close\r\n\r\n";
    stream.write_all(get).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let value = |what: &str| {
        let line = format!("highwater_executor_{name}_seconds_{what} ");
        let found = text.lines().find_map(|l| l.strip_prefix(&line));
        found
            .unwrap_or_else(|| panic!("no {line}in {text}"))
            .parse()
            .unwrap()
    };
    (value("count"), value("sum"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_volumes_part_and_the_filesystems_part_are_timed_apart() {
    let world = World::new(Plan::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = listener.local_addr().unwrap();
    let volume = || scraped(admin, "request_to_volume");
    let filesystem = || scraped(admin, "volume_to_filesystem");
    let test = async {
        let begun = Instant::now();
        let decided = json!({"at": SystemClock.now() - DECIDED_BEFORE});
        let annotations = json!({ANNOTATION_DECIDED: decided.to_string()});
        let spec = json!({"type": "VolumeExpansion", "databaseRef": {"name": DATABASE}, "apply": "Always",
                          "volumeExpansion": {"mode": "Online", "postgres": "2Gi"}});
        let metadata = json!({"name": "grow", "annotations": annotations});
        let request = json!({"metadata": metadata, "spec": spec});
        world.create::<PostgresOpsRequest>(request).await;
        until("the claim asks", || async {
            (world.sizes().await[0] == "2Gi").then_some(())
        })
        .await;
        let resizing = json!({"allocatedResources": {"storage": "2Gi"},
                              "allocatedResourceStatuses": {"storage": "ControllerResizeInProgress"}});
        world.claim_status(0, resizing).await;
        assert_eq!((volume().await.0, filesystem().await.0), (0.0, 0.0));

        world.grow_volume(0, "2Gi").await;
        let pending = json!({"allocatedResourceStatuses": {"storage": "NodeResizePending"}});
        world.claim_status(0, pending).await;
        until("the volume's part", || async {
            (volume().await.0 > 0.0).then_some(())
        })
        .await;
        let seen = Instant::now();
        let (_, first) = volume().await;
        let waited = first - DECIDED_BEFORE.as_secs_f64();
        assert!(
            0.0 <= waited && waited <= begun.elapsed().as_secs_f64(),
            "{first} s"
        );
        assert_eq!(filesystem().await.0, 0.0);

        sleep(KUBELETS_STEP).await;
        let held = seen.elapsed().as_secs_f64();
        let done =
            json!({"capacity": {"storage": "2Gi"}, "allocatedResourceStatuses": null, "conditions": null});
        world.claim_status(0, done).await;
        world.phase("grow", "Successful").await;
        assert_eq!(volume().await, (1.0, first), "once, and not again");
        let (count, second) = filesystem().await;
        let all = begun.elapsed().as_secs_f64();
        assert!(
            count == 1.0 && held <= second && second <= all,
            "{count}: {second} s of {held} to {all}"
        );
    };
    tokio::select! {
        ended = test_parts::run_scraped(world.client.clone(), listener) => panic!("the executor ended: {ended:?}"),
        () = test => {}
    }
}
