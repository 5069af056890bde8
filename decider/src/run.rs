//! From flags to a running decider, in one straight line.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use control::{
    client,
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
    watch::{Watches, Words},
    write::Fenced,
};
use runtime::{
    admin::Admin,
    build,
    clock::SystemClock,
    readiness::Readiness,
    tasks::Tasks,
    thread,
    watchdog::{Watchdog, Watchdogs},
};
use tokio::{net::TcpListener, time::interval};

use crate::{
    args::Args,
    controller::{Context, Parts},
    ingest::{AsSaid, Ingest},
    metrics::Metrics,
    objects::Objects,
    store::Store,
    view::View,
};

/// The lease's name.
const LEASE: &str = "highwater-decider";
/// How often the thread that listens to agents shows that it comes round, and for how long it may not: far beyond what a busy
/// node does.
const BEAT: Duration = Duration::from_secs(1);
const LIFE_SIGN: Duration = Duration::from_secs(60);
/// Until every agent that is alive has reported to a new decider: 5 s until it resolves the service again, 1 s to the
/// next sweep, 2 s that a statfs may take, and 2 s to connect. It is also twice what a watch waits at most before it
/// asks again, until when a pod may be unknown here.
const GRACE: Duration = Duration::from_secs(10);

/// Runs until a signal or a defect.
///
/// # Errors
/// Whatever ended it.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        usage_listen,
        view_listen,
        namespace,
        pod_name,
        stale_after,
        mode,
        client: client_args,
        admin: admin_args,
        log: _,
    } = args;
    let mut tasks = Tasks::new();
    let stop = tasks.token();
    let readiness = Readiness::new(stop.clone());
    let watchdogs = Watchdogs::default();
    let mut registry = build::registry("decider");
    let metrics = Metrics::register(&mut registry);
    let clock = Arc::new(SystemClock);
    let client = client::connect(&client_args, "decider", &mut registry).await?;

    let words = Words::default();
    let store = Arc::new(Store::sharing(words.clone()));
    let ingest = Ingest::new(
        Arc::clone(&store),
        AsSaid,
        clock.clone(),
        metrics.clone(),
        stop.clone(),
    );
    let listener = TcpListener::bind(usage_listen)
        .await
        .with_context(|| format!("cannot listen for agents on {usage_listen}"))?;
    let listener = listener.into_std().context("the usage port failed")?;
    let agents = serve_agents(ingest, listener, watchdogs.expect("ingest", LIFE_SIGN));
    // A message costs little: waking another thread for it would cost more. And no agent waits for a sweep of decisions.
    tasks.spawn("ingest", thread::alone("ingest", || agents));

    let watches = Watches::new(client.clone(), &readiness, &mut registry, stop.clone());
    let objects = Objects::watch(&watches, &words, &mut tasks);
    let (events, task) = Events::new(
        client.clone(),
        "decider",
        &pod_name,
        SystemClock,
        &mut registry,
        stop.clone(),
    );
    tasks.spawn("events", task);
    let lease = LeaseArgs {
        namespace,
        name: LEASE.into(),
        pod_name: pod_name.clone(),
        timing: Timing::default(),
    };
    let (leader, task) = Leader::candidate(client.clone(), lease, SystemClock, &mut registry, stop.clone());
    tasks.spawn("lease", task);

    let writes = Fenced::new(client.clone(), leader, api::names::MANAGER_DECIDER);
    let context = Context::new(Parts {
        objects,
        store,
        clock,
        decide: decider_core::decide,
        stale_after,
        grace: GRACE,
        mode,
        writes,
        client,
        events,
        metrics,
    });
    let listener = TcpListener::bind(view_listen)
        .await
        .with_context(|| format!("cannot listen for questions on {view_listen}"))?;
    let view = View::new(Arc::clone(&context), pod_name);
    tasks.spawn("view", view.serve(listener, stop.clone()));
    tasks.spawn("controller", context.run(stop));
    tasks.spawn_last(
        "admin",
        Admin {
            readiness,
            watchdogs,
            registry,
        }
        .serve(admin_args.admin, tasks.last_token()),
    );
    tasks.run_until_signal().await
}

/// Listens to agents, and shows that it comes round.
async fn serve_agents(
    ingest: Ingest,
    listener: std::net::TcpListener,
    alive: Watchdog,
) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener).context("the usage port failed")?;
    let agents = ingest.serve(listener);
    let mut beats = interval(BEAT);
    tokio::pin!(agents);
    loop {
        tokio::select! {
            ended = &mut agents => return ended.context("the usage port failed"),
            _ = beats.tick() => alive.beat(),
        }
    }
}
