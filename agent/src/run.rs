//! The process: mounts, sweeper, board and uplink put together.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use runtime::{
    admin::Admin,
    build,
    clock::{Clock, SystemClock},
    readiness::Readiness,
    tasks::Tasks,
    watchdog::Watchdogs,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::Args,
    board::Board,
    collector::{Collector, Mounts},
    metrics::{Metrics, OwnCost},
    probe::Probe,
    statfs::Direct,
    sweeper::{Settings, Sweeper},
    uplink::{
        Connected, Identity, Pace, Uplink,
        dial::{Dns, Tcp},
    },
};

/// Worker threads of the runtime: it only moves a few small messages a second.
pub const THREADS: usize = 1;

/// Everything is sent again this often, to heal whatever a stream may have missed.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(600);
/// The own cost is read no more often than this.
const COST_EVERY: Duration = Duration::from_secs(10);
/// All there is to drain is the streams' farewell; the whole shutdown is to take two seconds at most.
const GRACE: Duration = Duration::from_millis(1500);
/// No sweep for so long: the process is of no use any more. Far beyond anything a slow node does.
const LIFE_SIGN: Duration = Duration::from_secs(60);
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Runs the agent until a signal.
///
/// # Errors
/// If something cannot be started, or a task fails.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        node_name,
        kubelet_root,
        decider,
        period,
        statfs_deadline,
        heartbeat,
        resolve_every,
        admin,
        log: _,
    } = args;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut tasks = Tasks::new().with_grace(GRACE);
    let readiness = Readiness::new(tasks.token());
    let watchdogs = Watchdogs::default();
    let mut registry = build::registry("agent");
    let metrics = Metrics::register(&mut registry);
    let board = Arc::new(Board::default());

    let mounts = Arc::new(Mounts::new(
        kubelet_root,
        readiness.gate("kubelet root"),
        metrics.clone(),
    )?);
    let collector = Collector::new(
        Arc::clone(&mounts),
        Arc::clone(&board),
        Arc::clone(&clock),
        metrics.clone(),
        readiness.gate("first sweep"),
        watchdogs.expect("sweeper", LIFE_SIGN),
    );
    let uplink = Uplink {
        identity: identity(node_name)?,
        authority: decider.clone(),
        board,
        resolver: Arc::new(Dns(decider)),
        connector: Arc::new(Tcp),
        clock: Arc::clone(&clock),
        connected: Connected::new(readiness.gate("decider")),
        pace: Pace {
            heartbeat,
            snapshot_every: SNAPSHOT_EVERY,
            resolve_every,
        },
        metrics: metrics.clone(),
    };

    let settings = Settings {
        period,
        deadline: statfs_deadline,
    };
    let sweeper = sweeper(settings, clock, collector)?;
    mounts.start(sweeper.clone()).context("cannot watch the mounts")?;
    tasks.spawn("uplink", uplink.run(tasks.token()));
    tasks.spawn("cost", read_cost(metrics, tasks.token()));
    tasks.spawn_last(
        "admin",
        Admin {
            readiness,
            watchdogs,
            registry,
        }
        .serve(admin.admin, tasks.last_token()),
    );
    let ended = tasks.run_until_signal().await;
    sweeper.stop();
    ended
}

fn identity(node: String) -> anyhow::Result<Identity> {
    let boot_id = fs::read_to_string(BOOT_ID).context("cannot read the kernel's boot id")?;
    Ok(Identity {
        node,
        version: build::VERSION.to_owned(),
        boot_id: boot_id.trim().to_owned(),
    })
}

fn sweeper(settings: Settings, clock: Arc<dyn Clock>, collector: Collector) -> anyhow::Result<Sweeper> {
    let program: PathBuf = std::env::current_exe().context("cannot find the own program")?;
    let trusted = Box::new(|| Arc::new(Direct) as Arc<_>);
    let doubtful = Box::new(move || Arc::new(Probe::new(program.clone())) as Arc<_>);
    Sweeper::start(settings, clock, trusted, doubtful, Box::new(collector))
        .context("cannot start the sweeper")
}

/// The own cost, until the end.
async fn read_cost(metrics: Metrics, token: CancellationToken) -> anyhow::Result<()> {
    let mut cost = OwnCost::new();
    let mut every = tokio::time::interval(COST_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = token.cancelled() => return Ok(()),
            _ = every.tick() => cost.read(&metrics),
        }
    }
}
