//! How a process that leads begins: its flags, its client, its lease, its Events, and the set of tasks that it is made of.

use std::net::SocketAddr;

use clap::Args;
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::{
    admin,
    args::{AdminArgs, LogArgs},
    build,
    clock::SystemClock,
    readiness::Readiness,
    tasks::Tasks,
};

use crate::{
    client::{self, ClientArgs, ConnectError},
    events::Events,
    leader::{Leader, LeaseArgs, Timing},
};

/// Flags of every process that leads.
#[derive(Debug, Clone, Args)]
pub struct ProcessArgs {
    /// Namespace of this pod; the Lease is there.
    #[arg(long, env = "POD_NAMESPACE", default_value = "highwater", value_name = "NAME")]
    pub namespace: String,
    /// Name of this pod; part of its identity in the Lease.
    #[arg(long, env = "POD_NAME", default_value = "highwater", value_name = "NAME")]
    pub pod_name: String,
    /// Where it answers probes and scrapes.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// How it speaks.
    #[command(flatten)]
    pub log: LogArgs,
    /// Where the API server is.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// A process that has begun: it competes for its lease, and nothing else runs yet.
pub struct Process {
    /// Talks to the API server.
    pub client: Client,
    /// Whether this process leads.
    pub leader: Leader,
    /// Where metrics go.
    pub registry: Registry,
    /// What must be there before it is Ready.
    pub readiness: Readiness,
    /// All that it does.
    pub tasks: Tasks,
    name: &'static str,
    pod_name: String,
    admin: SocketAddr,
}

impl Process {
    /// Begins the box `name`; its Lease is `highwater-<name>`.
    ///
    /// # Errors
    /// If the client cannot be made.
    pub async fn begin(name: &'static str, args: ProcessArgs) -> Result<Self, ConnectError> {
        let ProcessArgs {
            namespace,
            pod_name,
            admin,
            log: _,
            client,
        } = args;
        let mut registry = build::registry(name);
        let mut tasks = Tasks::new();
        let readiness = Readiness::new(tasks.token());
        let client = client::connect(&client, name, &mut registry).await?;
        let lease = LeaseArgs {
            namespace,
            name: format!("highwater-{name}"),
            pod_name: pod_name.clone(),
            timing: Timing::default(),
        };
        let stop = tasks.last_token();
        let (leader, task) = Leader::candidate(client.clone(), lease, SystemClock, &mut registry, stop);
        tasks.spawn_last("lease", task);
        Ok(Self {
            client,
            leader,
            registry,
            readiness,
            tasks,
            name,
            pod_name,
            admin: admin.admin,
        })
    }

    /// Starts telling Events as this process.
    pub fn events(&mut self) -> Events {
        let (events, task) = Events::new(
            self.client.clone(),
            self.name,
            &self.pod_name,
            SystemClock,
            &mut self.registry,
            self.tasks.last_token(),
        );
        self.tasks.spawn_last("events", task);
        events
    }

    /// Answers probes and scrapes until a signal or a task ends the process.
    ///
    /// # Errors
    /// Whatever ended it.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self {
            client: _,
            leader: _,
            registry,
            readiness,
            mut tasks,
            name: _,
            pod_name: _,
            admin,
        } = self;
        let serve = admin::serve(admin, readiness, registry, tasks.last_token());
        tasks.spawn_last("admin", serve);
        tasks.run_until_signal().await
    }
}
