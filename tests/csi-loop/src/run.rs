//! Runs one command: build, serve, stop in order.

use std::{
    io::{IsTerminal, Write},
    path::absolute,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing_subscriber::EnvFilter;

use crate::{
    args::{Args, Command, ServeArgs, SweepArgs},
    clock,
    controller::Controller,
    exclusive::Exclusive,
    fault_command,
    gate::Gate,
    identity::Identity,
    node::Node,
    proto::{
        csi::v1::{
            controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
        },
        pluginregistration::registration_server::RegistrationServer,
    },
    registration::Registration,
    sockets, sweep,
    volumes::Volumes,
};

/// How long calls that have begun may take to end: formatting a volume is the longest, well under a second.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the command of the flags to its end.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { command } = args;
    match command {
        Command::Serve(args) => serve_to_the_end(args),
        Command::Fault(args) => fault_command::run(args),
        Command::Sweep(SweepArgs { state }) => {
            for node in sweep::sweep(&state)? {
                writeln!(std::io::stdout(), "detached {}", node.display())?;
            }
            Ok(())
        }
    }
}

fn serve_to_the_end(args: ServeArgs) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log")?;
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .init();
    ensure!(
        nix::unistd::geteuid().is_root(),
        "csi-loop serve needs root: it attaches loop devices and mounts"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(args));
    // Not dropped: that would wait for a tool that never ends.
    runtime.shutdown_timeout(GRACE);
    outcome
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let ServeArgs {
        endpoint,
        registration,
        state,
        name,
        node,
        max_volume_gib,
        expansion,
        log: _,
    } = args;
    // kubelet is told the endpoint, and its working directory is another.
    let endpoint = absolute(endpoint)?;
    let stop = CancellationToken::new();
    // Before the sockets: whoever sees them may send a signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    // Before the volumes: with the socket they are ours, and what is half made is nobody's.
    let (_csi_socket, csi_calls) = sockets::bind(&endpoint).await?;
    let volumes = Volumes::open(&state, max_volume_gib << 30)
        .with_context(|| format!("state directory {}", state.display()))?;
    let volumes = Arc::new(Exclusive::new(volumes));
    let gate = Arc::new(Gate::new(state, stop.clone()));
    let controller = Controller::new(Arc::clone(&volumes), Arc::clone(&gate), clock::wall);
    let csi = Server::builder()
        .add_service(IdentityServer::new(Identity::new(name.clone(), expansion)))
        .add_service(ControllerServer::new(controller))
        .add_service(NodeServer::new(Node::new(volumes, gate, node)));
    let kubelet = Server::builder().add_service(RegistrationServer::new(Registration::new(
        name.clone(),
        &endpoint,
    )));

    // After the endpoint: kubelet calls that as soon as it sees the registration.
    let (_kubelet_socket, kubelet_calls) = sockets::bind(&registration).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(csi.serve_with_incoming_shutdown(csi_calls, stop.clone().cancelled_owned()));
    tasks.spawn(kubelet.serve_with_incoming_shutdown(kubelet_calls, stop.clone().cancelled_owned()));
    tracing::info!(driver = name, endpoint = %endpoint.display(), "serves; TEST-ONLY, data is worth nothing");

    let first = tokio::select! {
        ended = tasks.join_next() => ended,
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
    };
    stop.cancel();
    if tokio::time::timeout(GRACE, async { while tasks.join_next().await.is_some() {} })
        .await
        .is_err()
    {
        tracing::warn!("calls were still running after {GRACE:?}");
    }
    match first {
        None => Ok(()),
        Some(ended) => ended?.context("a server ended"),
    }
}
