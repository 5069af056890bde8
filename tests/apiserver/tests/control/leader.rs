//! The election: takeover, release, an API server that is gone, a lease that is gone.

use std::time::Duration;

use control::leader::{Leader, LeaseArgs, Timing};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::DeleteParams};
use prometheus_client::{encoding::text::encode, registry::Registry};
use runtime::{build, clock::SystemClock};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    proxy::Mode,
    server::{DEADLINE, client, client_through_proxy, namespace, until},
};

/// What a busy machine may add to the times of an election.
const SLACK: Duration = Duration::from_secs(3);

struct Candidate {
    leader: Leader,
    registry: Registry,
    stop: CancellationToken,
    task: JoinSet<anyhow::Result<()>>,
}

impl Candidate {
    fn start(client: &Client, namespace: &str, pod: &str) -> Self {
        let args = LeaseArgs {
            namespace: namespace.to_owned(),
            name: "highwater-test".to_owned(),
            pod_name: pod.to_owned(),
            timing: Timing::default(),
        };
        let (stop, mut registry) = (CancellationToken::new(), build::registry("test"));
        let (leader, election) =
            Leader::candidate(client.clone(), args, SystemClock, &mut registry, stop.clone());
        let mut task = JoinSet::new();
        task.spawn(election);
        Self {
            leader,
            registry,
            stop,
            task,
        }
    }

    /// Ends without a word, as by SIGKILL.
    async fn kill(&mut self) {
        self.task.shutdown().await;
    }

    async fn leads(&self) {
        timeout(DEADLINE, self.leader.wait()).await.expect("nobody leads");
        assert!(self.leader.is_leader_now());
    }

    fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("highwater_test_{name} ")))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

async fn holder(client: &Client, namespace: &str) -> (String, i32) {
    let lease = Api::<Lease>::namespaced(client.clone(), namespace)
        .get("highwater-test")
        .await
        .unwrap();
    let spec = lease.spec.unwrap();
    (spec.holder_identity.unwrap(), spec.lease_transitions.unwrap())
}

#[tokio::test]
async fn when_the_leader_dies_the_other_takes_over_and_never_do_both_lead() {
    let client = client().await;
    let namespace = namespace(&client, "lease-death").await;
    let mut a = Candidate::start(&client, &namespace, "a");
    a.leads().await;
    let b = Candidate::start(&client, &namespace, "b");
    // Long enough for b to look and for a to renew.
    sleep(Duration::from_secs(5)).await;
    assert!(a.leader.is_leader_now() && !b.leader.is_leader_now());
    assert_eq!((a.metric("leader"), b.metric("leader")), (1, 0));
    assert!(holder(&client, &namespace).await.0.starts_with("a_"));

    a.kill().await;
    let killed = Instant::now();
    let mut overlap = false;
    until("the other leads", async || {
        overlap |= a.leader.is_leader_now() && b.leader.is_leader_now();
        b.leader.is_leader_now()
    })
    .await;
    let Timing { duration, retry, .. } = Timing::default();
    assert!(
        killed.elapsed() <= duration + retry + SLACK,
        "{:?}",
        killed.elapsed()
    );
    assert!(
        !overlap && !a.leader.is_leader_now(),
        "a leader that is not renewed must have stopped by itself"
    );
    assert!(a.leader.permit().is_none() && b.leader.permit().is_some());
    let (holder, transitions) = holder(&client, &namespace).await;
    assert!(holder.starts_with("b_"), "{holder}");
    assert_eq!(transitions, 2);
}

#[tokio::test]
async fn a_leader_that_leaves_lets_the_other_in_as_soon_as_its_writes_are_done() {
    let client = client().await;
    let namespace = namespace(&client, "lease-release").await;
    let mut a = Candidate::start(&client, &namespace, "a");
    a.leads().await;
    let b = Candidate::start(&client, &namespace, "b");
    let write = a.leader.permit().unwrap();
    a.stop.cancel();
    // The other looks every second: it would have been in by now, had the lease been given up.
    sleep(Duration::from_millis(1500)).await;
    assert!(
        !a.leader.is_leader_now() && a.leader.permit().is_none(),
        "no new writes"
    );
    assert!(!b.leader.is_leader_now(), "a write is under way");
    drop(write);
    let released = Instant::now();
    b.leads().await;
    assert!(
        released.elapsed() <= Timing::default().retry + SLACK,
        "{:?}",
        released.elapsed()
    );
    a.task.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(a.metric("leader"), 0);
}

#[tokio::test]
async fn without_the_api_server_leadership_ends_first_and_comes_back_later() {
    let direct = client().await;
    let namespace = namespace(&direct, "lease-away").await;
    let (cut, proxy, _folder) = client_through_proxy().await;
    let mut a = Candidate::start(&cut, &namespace, "a");
    a.leads().await;
    let mut changes = a.leader.changes();
    let b = Candidate::start(&direct, &namespace, "b");
    sleep(Duration::from_secs(2)).await;

    proxy.set(Mode::Silent);
    let gone = Instant::now();
    let mut overlap = false;
    until("the other leads", async || {
        overlap |= a.leader.is_leader_now() && b.leader.is_leader_now();
        b.leader.is_leader_now()
    })
    .await;
    assert!(!overlap, "both led");
    assert!(
        timeout(SLACK, changes.wait_for(|leads| !leads)).await.is_ok(),
        "the loss is told"
    );
    assert!(gone.elapsed() <= Timing::default().duration + Timing::default().retry + SLACK);
    assert!(a.metric("lease_failures_total") >= 1);
    assert!(a.task.try_join_next().is_none(), "the process goes on");

    proxy.set(Mode::Pass);
    b.stop.cancel();
    a.leads().await;
}

#[tokio::test]
async fn a_lease_that_is_deleted_is_made_again_and_one_leads() {
    let client = client().await;
    let namespace = namespace(&client, "lease-deleted").await;
    let a = Candidate::start(&client, &namespace, "a");
    a.leads().await;
    let b = Candidate::start(&client, &namespace, "b");
    let leases: Api<Lease> = Api::namespaced(client.clone(), &namespace);
    let old = leases.get("highwater-test").await.unwrap().metadata.uid;
    leases
        .delete("highwater-test", &DeleteParams::default())
        .await
        .unwrap();
    until("the lease is there again", async || {
        leases
            .get_opt("highwater-test")
            .await
            .unwrap()
            .is_some_and(|lease| lease.metadata.uid != old)
    })
    .await;
    until("exactly one leads", async || {
        a.leader.is_leader_now() != b.leader.is_leader_now()
    })
    .await;
}

#[tokio::test]
async fn without_a_namespace_it_tries_calmly() {
    let client = client().await;
    let a = Candidate::start(&client, "no-such-namespace", "a");
    sleep(Duration::from_secs(5)).await;
    assert!(!a.leader.is_leader_now());
    // Every 0.5 s to 1 s.
    let failures = a.metric("lease_failures_total");
    assert!((1..=10).contains(&failures), "{failures}");
}
