//! Twenty dead filesystem servers beside a hundred volumes: the agent keeps the pace of the hundred, ends in time,
//! and sees the twenty again when they come back.
//!
//! Real: the agent's program, FUSE mounts whose one server is stopped with requests read and unanswered, tmpfs
//! mounts at kubelet's paths that fill all the time, a tonic server as decider. Needs root and /dev/fuse; works in
//! a mount namespace of its own and leaves nothing mounted. The program is $HIGHWATER_AGENT, or that of the same
//! build (`cargo build -p agent`).

mod agent;
mod decider;
mod fuse;
mod node;
mod server;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use agent::Agent;
use decider::Heard;
use node::Node;
use server::Server;

const TMPFS: usize = 100;
const FUSE: usize = 20;

/// How long the servers stay away.
const AWAY: Duration = Duration::from_secs(60);
/// The promise: no volume beside them goes unmeasured for longer.
const LARGEST_GAP: Duration = Duration::from_millis(1500);
/// The promise: the agent ends within this.
const SHUTDOWN: Duration = Duration::from_secs(2);
/// A call that never returns is told within its deadline of 2 s and a period; one whose turn never comes as well.
const TOLD: Duration = Duration::from_secs(5);
/// Requests read and unanswered when the agent is to end: nearly as many as it makes at a time.
const MANY: usize = 5;
/// A mount is noticed by the kernel's word, and measured at once.
const NOTICED: Duration = Duration::from_secs(2);
/// Steps that this test merely waits for.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some((fuse::ARGUMENT, mounts)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return report(fuse::serve(mounts));
    }
    // No harness: a listing is empty, and a filter that means another test leaves nothing to run.
    let other =
        |arg: &String| arg == "--list" || (!arg.starts_with('-') && !"agent_stuck".contains(arg.as_str()));
    if args.iter().any(other) {
        return ExitCode::SUCCESS;
    }
    let ended = run();
    if ended.is_ok() {
        println!("test agent_stuck ... ok");
    }
    report(ended)
}

fn report(ended: anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent_stuck: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    node::enter_own_namespace()?;
    let node = Node::new(TMPFS)?;
    let mut server = Server::start(&node, FUSE)?;
    let heard = Heard::listen()?;
    let mut agent = Agent::start(node.root(), heard.address())?;
    heard
        .wait(PATIENCE, |seen| {
            seen.volumes() == TMPFS + FUSE && seen.stuck() == 0
        })
        .context("the agent does not tell of all volumes")?;
    node.with_another(|| {
        heard
            .wait(NOTICED, |seen| seen.volumes() == TMPFS + FUSE + 1)
            .context("a new mount")
    })?;
    heard
        .wait(NOTICED, |seen| seen.volumes() == TMPFS + FUSE)
        .context("an unmount")?;
    let _filling = node.fill();

    let stopped = Instant::now();
    server.stop_in_statfs(1)?;
    heard
        .wait(TOLD, |seen| seen.stuck() == FUSE)
        .context("not every dead server is told of in time")?;
    println!("{FUSE} dead servers told of after {:.1?}", stopped.elapsed());
    // The very waiting is what is tested.
    std::thread::sleep(AWAY.saturating_sub(stopped.elapsed()));
    let gap = heard.largest_gap("tmpfs-", stopped, stopped + AWAY)?;
    println!("largest gap of the {TMPFS} others in {AWAY:?}: {gap:.2?}");
    ensure!(gap <= LARGEST_GAP, "a volume went unmeasured for {gap:?}");
    ensure!(
        heard.with(|seen| seen.stuck() == FUSE),
        "a dead server is taken for alive, or a live one for dead"
    );
    let deaf = agent.unkillable_children()?;
    println!("{deaf} of the agent's probes sleep through any signal");
    ensure!(
        deaf > 0,
        "no call was caught with its request read: this test has tested less than it should"
    );

    server.resume()?;
    let resumed = Instant::now();
    heard
        .wait(PATIENCE, |seen| seen.stuck() == 0)
        .context("not every volume has come back")?;
    println!("all came back after {:.1?}", resumed.elapsed());

    server.stop_in_statfs(MANY)?;
    heard
        .wait(TOLD, |seen| seen.stuck() == FUSE)
        .context("not every dead server is told of the second time")?;
    ensure!(
        agent.unkillable_children()? > 0,
        "no call was caught with its request read the second time"
    );
    let took = agent.terminate(SHUTDOWN)?;
    println!("the agent ended after {took:.2?}");
    Ok(())
}
