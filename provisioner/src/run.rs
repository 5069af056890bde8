//! The process: one straight line from flags to tasks.

use std::sync::Arc;

use control::{
    client,
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
    watch::Watches,
};
use runtime::{admin, build, clock::SystemClock, readiness::Readiness, tasks::Tasks};

use crate::args::{Args, Mode};

/// Runs until told to end.
///
/// # Errors
/// If the client cannot be made, or a task ends.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        namespace,
        pod_name,
        mode,
        admin: admin_args,
        log: _,
        client: client_args,
    } = args;
    let mut registry = build::registry("provisioner");
    let mut tasks = Tasks::new();
    let readiness = Readiness::new(tasks.token());
    let client = client::connect(&client_args, "provisioner", &mut registry).await?;

    let lease = LeaseArgs {
        namespace,
        name: "highwater-provisioner".to_owned(),
        pod_name: pod_name.clone(),
        timing: Timing::default(),
    };
    let (leader, task) = Leader::candidate(
        client.clone(),
        lease,
        SystemClock,
        &mut registry,
        tasks.last_token(),
    );
    tasks.spawn_last("lease", task);
    let (events, task) = Events::new(
        client.clone(),
        "provisioner",
        &pod_name,
        SystemClock,
        &mut registry,
        tasks.last_token(),
    );
    tasks.spawn_last("events", task);
    let watches = Watches::new(client.clone(), &readiness, &mut registry, tasks.token());

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
    provisioner_postgres::start(postgres, &mut registry, &mut tasks);
    let petset = provisioner_petset::Parts {
        client,
        leader,
        events,
        watches,
        clock: Arc::new(SystemClock),
        only_owned: mode == Mode::Alongside,
        stop_after: None,
    };
    provisioner_petset::start(petset, &mut registry, &mut tasks);

    let serve = admin::serve(admin_args.admin, readiness, registry, tasks.last_token());
    tasks.spawn_last("admin", serve);
    tasks.run_until_signal().await
}
