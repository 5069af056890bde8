//! The members of a database: which there are, and what is done to one of them.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, ensure};
use kube::api::DeleteParams;
use serde_json::Value;

use crate::{Managed, Volume, World, managed::MAKING, objects::kinds, wait};

/// One member, as the API server knows it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name of the pod.
    pub pod: String,
    /// Uid of the pod.
    pub uid: String,
    /// Address of the pod.
    pub address: IpAddr,
    /// Value of the role label.
    pub role: String,
    /// Whether its pod is ready, and not on its way out.
    pub ready: bool,
}

impl Managed {
    /// Its members, by ordinal.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn members(&self) -> anyhow::Result<Vec<Member>> {
        let prefix = format!("{}-", self.name);
        let mut found = Vec::new();
        for pod in self.objects.list(&kinds::POD).await? {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let Some(ordinal) = name
                .strip_prefix(&prefix)
                .and_then(|rest| rest.parse::<u32>().ok())
            else {
                continue;
            };
            let address = pod.pointer("/status/podIP").and_then(Value::as_str);
            let Some(address) = address.and_then(|address| address.parse().ok()) else {
                continue;
            };
            let member = Member {
                pod: name.to_owned(),
                uid: pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
                address,
                role: pod["metadata"]["labels"]["kubedb.com/role"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                ready: pod["metadata"].get("deletionTimestamp").is_none()
                    && wait::condition(&pod, "Ready").is_some_and(|(status, ..)| status == "True"),
            };
            found.push((ordinal, member));
        }
        found.sort_by_key(|(ordinal, _)| *ordinal);
        Ok(found.into_iter().map(|(_, member)| member).collect())
    }

    /// Waits until exactly `count` members are ready, one of them the primary, and the database is Ready.
    ///
    /// Not Ready first, or so quickly Ready again that nobody saw it: the phase alone proves nothing, the members do.
    ///
    /// # Errors
    /// When they are not within [`MAKING`].
    pub async fn until_all_ready(&self, count: usize) -> anyhow::Result<()> {
        let all = async {
            loop {
                let members = self.members().await?;
                let primaries = members.iter().filter(|member| member.role == "primary").count();
                if members.len() == count && primaries == 1 && members.iter().all(|member| member.ready) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await; // several objects at once can only be polled
            }
        };
        tokio::time::timeout(MAKING, all)
            .await
            .context("the members are not all ready")??;
        self.until_phase("Ready").await.map(drop)
    }

    /// The member that leads.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn primary(&self) -> anyhow::Result<Member> {
        let members = self.members().await?;
        let mut primaries = members.into_iter().filter(|member| member.role == "primary");
        let primary = primaries.next().context("no member is labelled primary")?;
        ensure!(primaries.next().is_none(), "two members are labelled primary");
        Ok(primary)
    }

    /// The volume of a member.
    ///
    /// # Errors
    /// When the member is not there in time.
    pub async fn volume(&self, world: &World, member: &Member) -> anyhow::Result<Volume> {
        Volume::of(world, &self.objects, &format!("data-{}", member.pod), &member.pod).await
    }

    /// Its members' volumes, by ordinal.
    ///
    /// # Errors
    /// When a member is not there in time.
    pub async fn volumes(&self, world: &World) -> anyhow::Result<Vec<Volume>> {
        let mut found = Vec::new();
        for member in self.members().await? {
            found.push(self.volume(world, &member).await?);
        }
        Ok(found)
    }

    /// Deletes a member's pod without giving it time to end, as when its node is given up.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn kill(&self, member: &Member) -> anyhow::Result<()> {
        let at_once = DeleteParams::default().grace_period(0);
        self.objects
            .api(&kinds::POD)
            .delete(&member.pod, &at_once)
            .await?;
        Ok(())
    }

    /// Runs one statement with psql in a member's pod.
    ///
    /// # Errors
    /// What psql or kubectl wrote to stderr.
    pub async fn psql(&self, world: &World, pod: &str, statement: &str) -> anyhow::Result<String> {
        let psql = ["psql", "-U", "postgres", "-XAtc", statement];
        self.run(world, pod, &psql).await
    }

    /// Runs a program in the container `postgres` of a member's pod; what it prints.
    ///
    /// # Errors
    /// What it, or kubectl, wrote to stderr.
    pub async fn run(&self, world: &World, pod: &str, program: &[&str]) -> anyhow::Result<String> {
        let mut exec = vec![
            "exec",
            "-n",
            self.objects.namespace(),
            pod,
            "-c",
            "postgres",
            "--",
        ];
        exec.extend(program);
        Ok(world.kubectl(&exec).await?.trim().to_owned())
    }

    /// Writes a segment of WAL and nothing else.
    ///
    /// # Errors
    /// When there is no room for it.
    pub async fn write_segment(&self, world: &World, pod: &str) -> anyhow::Result<()> {
        let message = "select pg_logical_emit_message(false, 'filling', repeat(md5(random()::text), 32000))";
        self.psql(world, pod, message).await.map(drop)
    }
}
