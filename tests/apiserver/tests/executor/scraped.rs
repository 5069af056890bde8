//! How long the parts of a growth took, as a scrape reads it.

use std::{net::SocketAddr, time::Duration};

use executor::test_parts;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{
    server::until,
    world::{Plan, World},
};

/// Far above what anything else here takes.
const KUBELETS_STEP: Duration = Duration::from_secs(2);

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
        world.request("grow", "2Gi", json!({})).await;
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
        // The request was created within a second of which only the whole ones are known.
        assert!(first <= begun.elapsed().as_secs_f64() + 1.0, "{first} s");
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
