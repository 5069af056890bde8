//! The process: one straight line from flags to tasks.

use std::sync::Arc;

use control::{process::Process, watch::Watches};
use runtime::clock::SystemClock;

use crate::args::{Args, Mode};

/// Runs until told to end.
///
/// # Errors
/// If the client cannot be made, or a task ends.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args { mode, process } = args;
    let mut process = Process::begin("provisioner", process).await?;
    let events = process.events();
    let Process {
        client,
        leader,
        registry,
        readiness,
        tasks,
        ..
    } = &mut process;
    let watches = Watches::new(client.clone(), readiness, registry, tasks.token());

    let postgres = provisioner_postgres::Parts {
        client: client.clone(),
        leader: leader.clone(),
        events: events.clone(),
        watches: watches.clone(),
        all: mode == Mode::Standalone,
        clock: Arc::new(SystemClock),
        probe: Arc::new(provisioner_postgres::probe::Network),
        stop_after: None,
    };
    provisioner_postgres::start(postgres, registry, tasks);
    let petset = provisioner_petset::Parts {
        client: client.clone(),
        leader: leader.clone(),
        events,
        watches,
        clock: Arc::new(SystemClock),
        only_owned: mode == Mode::Alongside,
        stop_after: None,
    };
    provisioner_petset::start(petset, registry, tasks);

    process.run().await
}
