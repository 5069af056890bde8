//! One size of the fleet, from a decider that starts to one whose agents have all come back.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use super::{
    agents::{Reconnect, Traffic},
    api::Counts,
    cost, decisions,
    fleet::Fleet,
    http::ask,
    metrics::Metrics,
    parts::{Decider, Spoken},
};

/// A fleet has settled when in this time fewer statuses are written than one of a hundred databases has. What writes none is
/// given as long.
const SETTLING: Duration = Duration::from_secs(10);
/// Until then.
const PATIENCE: Duration = Duration::from_secs(600);
/// What is predicted of volumes is not known before a minute has passed.
const FIRST_MINUTE: Duration = Duration::from_secs(65);
/// Sweeps in a row go on for this long at least, so that agents have something to tell meanwhile.
const SWEEPING: Duration = Duration::from_secs(10);
/// Files that a process has open besides a connection for each agent.
const OTHER_FILES: u64 = 200;
/// Loads that differ by less than one in so many are alike.
const LIKE: u64 = 10;
/// Between two looks at a counter.
const LOOK: Duration = Duration::from_millis(100);

/// What was measured of one size.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The size.
    pub fleet: Fleet,
    /// From the decider's start until it had read all objects, in seconds.
    pub ready: f64,
    /// And what it took of a processor, in seconds.
    pub ready_cpu: f64,
    /// The most memory until it had settled, in MiB.
    pub start_peak: u64,
    /// Memory with all objects and no agent, in MiB.
    pub objects_rss: u64,
    /// Processors used by the decider, the agents and the API server while nothing special happens.
    pub cores: [f64; 3],
    /// Processors used by a server that does nothing but listen to the same agents.
    pub listener: f64,
    /// Memory then, in MiB.
    pub rss: u64,
    /// What the agents sent and heard then.
    pub steady: Traffic,
    /// For how long, in seconds.
    pub seconds: f64,
    /// Decisions then.
    pub decisions: f64,
    /// Statuses written then.
    pub statuses: u64,
    /// Of a sweep of all databases: seconds until done.
    pub sweep: f64,
    /// Time in gathering and deciding per sweep, in seconds.
    pub sweep_thread: f64,
    /// Deciding alone, for databases like the fleet's made beforehand, on one thread, in seconds.
    pub decisions_alone: f64,
    /// What the agents heard during sweeps.
    pub sweeping: Traffic,
    /// All agents come back.
    pub reconnect: Reconnect,
    /// The most memory from then on, in MiB.
    pub reconnect_peak: u64,
    /// Growths asked for: none is due.
    pub growths: u64,
}

/// Measures one size.
///
/// # Errors
/// When a process fails or a figure cannot be had.
pub async fn run(percent: u32, seconds: u64, decider: Option<&Path>) -> anyhow::Result<Figures> {
    let fleet = Fleet::of(percent);
    cost::allow_files(u64::from(fleet.nodes) + OTHER_FILES)?;
    let binary = decider.map_or_else(beside, |path| Ok(path.to_owned()))?;
    // Before the others take processors from it.
    let decisions_alone = decisions::sweep(fleet)?.as_secs_f64();
    let size = percent.to_string();
    let mut server = Spoken::start(&["api-server", "--percent", &size])?;
    let api: SocketAddr = server.line().await?.parse()?;
    progress(percent, "the decider reads the objects");
    let (decider, ready) = Decider::start(&binary, api).await?;
    let pid = decider.pid()?;
    let ready_cpu = cost::cpu(pid)?.as_secs_f64();
    let (objects_rss, _) = cost::memory(pid)?;
    progress(percent, "agents connect");
    let address = decider.usage.to_string();
    let mut agents = Spoken::start(&["agents", "--percent", &size, "--decider", &address])?;
    let _: Reconnect = agents.order("connect").await?;
    settled(api, fleet).await?;
    let (_, start_peak) = cost::memory(pid)?;

    progress(percent, "nothing special happens");
    let pids = [pid, agents.pid()?, server.pid()?];
    let steady = steady(&decider, &mut agents, api, pids, Duration::from_secs(seconds)).await?;
    let (rss, _) = cost::memory(pid)?;

    progress(percent, "sweeps of all databases");
    let (sweep, sweep_thread, sweeping) = sweeps(&decider, &mut agents, api, fleet).await?;

    progress(percent, "all agents come back");
    cost::forget_peak(pid)?;
    let reconnect = agents.order("cut").await?;
    let (_, reconnect_peak) = cost::memory(pid)?;
    let growths = counts(api).await?.growths;
    drop((decider, agents, server));

    progress(percent, "a server that does nothing but listen");
    let listener = listening(&size, &steady).await?;
    Ok(Figures {
        fleet,
        ready: ready.as_secs_f64(),
        ready_cpu,
        start_peak,
        objects_rss,
        cores: steady.cores,
        listener,
        rss,
        steady: steady.traffic,
        seconds: steady.seconds,
        decisions: steady.decisions,
        statuses: steady.statuses,
        sweep,
        sweep_thread,
        decisions_alone,
        sweeping,
        reconnect,
        reconnect_peak,
        growths,
    })
}

struct Steady {
    cores: [f64; 3],
    traffic: Traffic,
    seconds: f64,
    decisions: f64,
    statuses: u64,
}

async fn steady(
    decider: &Decider,
    agents: &mut Spoken,
    api: SocketAddr,
    pids: [u32; 3],
    time: Duration,
) -> anyhow::Result<Steady> {
    let all = || -> anyhow::Result<Vec<Duration>> { pids.iter().map(|pid| cost::cpu(*pid)).collect() };
    let (statuses, decisions) = (counts(api).await?.statuses, decided(decider).await?);
    let () = agents.order("begin").await?;
    let (since, before) = (Instant::now(), all()?);
    sleep(time).await;
    let (after, seconds) = (all()?, since.elapsed().as_secs_f64());
    let traffic = agents.order("end").await?;
    let mut cores = [0.0; 3];
    for (core, (after, before)) in cores.iter_mut().zip(after.iter().zip(&before)) {
        *core = after.saturating_sub(*before).as_secs_f64() / seconds;
    }
    Ok(Steady {
        cores,
        traffic,
        seconds,
        decisions: decided(decider).await? - decisions,
        statuses: counts(api).await?.statuses - statuses,
    })
}

/// What a server takes that keeps nothing of what as many agents say as in `steady`, in processors.
async fn listening(size: &str, steady: &Steady) -> anyhow::Result<f64> {
    let mut listener = Spoken::start(&["listener"])?;
    let address = listener.line().await?;
    let mut agents = Spoken::start(&["agents", "--percent", size, "--decider", &address])?;
    let _: Reconnect = agents.order("connect").await?;
    sleep(SETTLING).await;
    let () = agents.order("begin").await?;
    let (since, before) = (Instant::now(), cost::cpu(listener.pid()?)?);
    sleep(Duration::from_secs_f64(steady.seconds)).await;
    let (took, seconds) = (
        cost::cpu(listener.pid()?)?.saturating_sub(before),
        since.elapsed(),
    );
    let traffic: Traffic = agents.order("end").await?;
    let (said, to_decider) = (traffic.messages, steady.traffic.messages);
    ensure!(
        said.abs_diff(to_decider) <= to_decider / LIKE,
        "{said} messages to the listener, {to_decider} to the decider"
    );
    Ok(took.as_secs_f64() / seconds.as_secs_f64())
}

/// Has every database decided anew by touching what all depend on, and waits until that is done.
async fn sweeps(
    decider: &Decider,
    agents: &mut Spoken,
    api: SocketAddr,
    fleet: Fleet,
) -> anyhow::Result<(f64, f64, Traffic)> {
    let () = agents.order("begin").await?;
    let since = Instant::now();
    let thread = Metrics::of(decider.admin).await?.sum("decision_seconds_sum");
    let mut made = 0.0;
    let mut took = 0.0;
    let mut sweeps = 0;
    while since.elapsed() < SWEEPING {
        let (before, began) = (decided(decider).await?, Instant::now());
        ask(api, "POST", "/bench/touch-profile").await?;
        while decided(decider).await? - before < f64::from(fleet.databases()) {
            ensure!(since.elapsed() < PATIENCE, "a sweep does not end");
            sleep(LOOK).await;
        }
        took += began.elapsed().as_secs_f64();
        made += decided(decider).await? - before;
        sweeps += 1;
    }
    let thread = Metrics::of(decider.admin).await?.sum("decision_seconds_sum") - thread;
    let traffic = agents.order("end").await?;
    // What else was decided meanwhile is taken out by its share.
    let each = thread / made;
    Ok((
        took / f64::from(sweeps),
        each * f64::from(fleet.databases()),
        traffic,
    ))
}

/// Waits until what the first samples have written is written.
async fn settled(api: SocketAddr, fleet: Fleet) -> anyhow::Result<()> {
    let since = Instant::now();
    sleep(FIRST_MINUTE).await;
    let mut before = counts(api).await?.statuses;
    loop {
        sleep(SETTLING).await;
        let now = counts(api).await?.statuses;
        if now - before <= u64::from(fleet.databases() / 100).max(5) {
            return Ok(());
        }
        ensure!(
            since.elapsed() < PATIENCE,
            "{} statuses in {SETTLING:?}, still",
            now - before
        );
        before = now;
    }
}

async fn decided(decider: &Decider) -> anyhow::Result<f64> {
    Ok(Metrics::of(decider.admin).await?.sum("decisions_total"))
}

async fn counts(api: SocketAddr) -> anyhow::Result<Counts> {
    let (_, text) = ask(api, "GET", "/bench/counts").await?;
    Ok(serde_json::from_str(&text)?)
}

/// The decider's binary that was built with this one.
fn beside() -> anyhow::Result<PathBuf> {
    let path = env::current_exe()?.with_file_name("highwater-decider");
    path.exists()
        .then_some(path)
        .context("no highwater-decider beside this program; make bench-decider builds both")
}

fn progress(percent: u32, what: &str) {
    eprintln!("{percent} %: {what}");
}
