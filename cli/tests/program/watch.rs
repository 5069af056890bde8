//! `watch`, whose output goes to another program.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{ChildStdout, Command},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::cluster::{PROXY, answer, cluster_of, database, program};

const PATIENCE: Duration = Duration::from_secs(30);
/// The least that it waits between two questions.
const INTERVAL: &str = "50ms";

/// A view whose databases the test changes, and that counts how often it was asked.
#[derive(Clone, Default)]
struct Fleet {
    databases: Arc<Mutex<Vec<Value>>>,
    asked: Arc<AtomicU64>,
    /// No replica is behind the service.
    away: Arc<AtomicBool>,
}

impl Fleet {
    fn routes(&self) -> Router {
        let page = |State(fleet): State<Self>| async move {
            fleet.asked.fetch_add(1, Ordering::SeqCst);
            if fleet.away.load(Ordering::SeqCst) {
                let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503,
                    "reason": "ServiceUnavailable", "message": "no endpoints available for service"});
                return (StatusCode::SERVICE_UNAVAILABLE, Json(status));
            }
            let databases = fleet.databases.lock().unwrap();
            (StatusCode::OK, Json(answer(&databases, None)))
        };
        Router::new()
            .route(&format!("{PROXY}/databases"), get(page))
            .with_state(self.clone())
    }

    fn shows(&self, databases: &[Value]) {
        *self.databases.lock().unwrap() = databases.to_vec();
    }

    /// Waits until what is shown now has been asked for, and asked for again.
    async fn asked_again(&self) {
        let until = self.asked.load(Ordering::SeqCst) + 4;
        let asked = async {
            while self.asked.load(Ordering::SeqCst) < until {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, asked).await.expect("it goes on asking");
    }
}

async fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    let read = timeout(PATIENCE, output.read_line(&mut line)).await;
    read.expect("a line in time").unwrap();
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_one_plain_line_until_it_is_interrupted() {
    let mut tasks = JoinSet::new();
    let fleet = Fleet::default();
    let mut shop = database("shop");
    fleet.shows(std::slice::from_ref(&shop));
    let folder = cluster_of(&mut tasks, fleet.routes()).await;
    let mut command = Command::from(program(folder.path(), &["watch", "--interval", INTERVAL]));
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut watch = command.spawn().unwrap();
    let mut output = BufReader::new(watch.stdout.take().unwrap());

    let mut told = line(&mut output).await;
    assert!(
        told.contains("demo/shop") && told.contains("50% of 1Gi  BelowThreshold: 52% used"),
        "{told}"
    );
    fleet.asked_again().await;
    shop["decision"]["reason"] = json!("ThresholdExceeded");
    fleet.shows(&[shop, database("wiki")]);
    // The next line is of the change: while nothing changed, nothing was told.
    for words in [
        "demo/shop  50% of 1Gi  ThresholdExceeded: 52% used",
        "demo/wiki  50% of 1Gi",
    ] {
        let next = line(&mut output).await;
        assert!(next.contains(words), "{next}");
        told += &next;
    }
    fleet.asked_again().await;
    fleet.shows(&[database("wiki")]);
    let next = line(&mut output).await;
    assert!(next.contains("demo/shop  is gone"), "{next}");
    told += &next;
    fleet.asked_again().await;

    let pid = watch.id().unwrap().to_string();
    let sent = Command::new("sh").args(["-c", "kill -INT $0", &pid]).status();
    assert!(sent.await.unwrap().success());
    let status = timeout(PATIENCE, watch.wait()).await.expect("it ends").unwrap();
    assert_eq!(status.signal(), Some(2), "{status}");
    let mut errors = String::new();
    watch
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .await
        .unwrap();
    output.read_to_string(&mut told).await.unwrap();
    assert_eq!((told.lines().count(), errors.as_str()), (4, ""), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decider_that_restarts_ends_it_only_where_none_has_answered_yet() {
    let mut tasks = JoinSet::new();
    let fleet = Fleet::default();
    fleet.away.store(true, Ordering::SeqCst);
    let folder = cluster_of(&mut tasks, fleet.routes()).await;
    let start = || {
        let mut command = Command::from(program(folder.path(), &["watch", "--interval", INTERVAL]));
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let ended = timeout(PATIENCE, start().wait_with_output())
        .await
        .expect("it ends")
        .unwrap();
    assert_eq!(ended.status.code(), Some(3), "{ended:?}");

    fleet.away.store(false, Ordering::SeqCst);
    fleet.shows(&[database("shop")]);
    let mut watch = start();
    let mut output = BufReader::new(watch.stdout.take().unwrap());
    assert!(line(&mut output).await.contains("demo/shop"));
    fleet.away.store(true, Ordering::SeqCst);
    let mut errors = BufReader::new(watch.stderr.take().unwrap());
    let mut told = String::new();
    timeout(PATIENCE, errors.read_line(&mut told))
        .await
        .expect("it is told")
        .unwrap();
    assert!(told.contains("no decider answers"), "{told}");
    fleet.shows(&[database("shop"), database("wiki")]);
    fleet.away.store(false, Ordering::SeqCst);
    let next = line(&mut output).await;
    assert!(next.contains("demo/wiki"), "{next}");
}
