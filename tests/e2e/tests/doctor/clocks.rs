//! Clocks that are wrong: of this machine, of a node, of a decider. One process has another time of day than its machine by a
//! library that answers in the C library's place; the shipped programs are static, so those of the tests' own build run instead.

use anyhow::Context;
use cluster::{packages, places};
use e2e::World;
use serde_json::{Value, json};

use crate::ask::Doctor;

pub(crate) async fn are_told_apart(world: &World) -> anyhow::Result<()> {
    this_machine(world).await?;
    let said = (
        "clocks",
        "Fault",
        "of node-1 is not believed: the node's clock is 3",
    );
    elsewhere(world, "daemonset", "agent", &said).await?;
    let said = ("clocks", "Fault", "the clock of highwater-decider-");
    elsewhere(world, "deployment", "decider", &said).await
}

/// That of whoever asks.
async fn this_machine(world: &World) -> anyhow::Result<()> {
    for (off, words) in [("+1h", "clock is 36"), ("-1h", "clock is -35")] {
        let doctor = Doctor {
            clock: Some(off),
            ..Doctor::of(world)
        };
        doctor.says(&("clocks", "Warning", words)).await?;
    }
    Doctor::of(world).says(&("clocks", "Ok", "they agree")).await
}

/// That of a box, as long as it runs with another.
async fn elsewhere(
    world: &World,
    kind: &str,
    component: &str,
    said: &(&str, &str, &str),
) -> anyhow::Result<()> {
    let name = format!("{kind}/highwater-{component}");
    let patch = off_by_an_hour(component)?.to_string();
    world
        .kubectl(&["-n", "highwater", "patch", &name, "--patch", &patch])
        .await?;
    let told = Doctor::of(world).says(said).await;
    world
        .kubectl(&["-n", "highwater", "rollout", "undo", &name])
        .await?;
    told?;
    Doctor::of(world).says_all_is_sound().await
}

/// A pod template of the same program, built for the machine's C library, and with a clock of its own.
fn off_by_an_hour(component: &str) -> anyhow::Result<Value> {
    packages::ensure(&[packages::FAKETIME])?;
    let library = format!("/usr/lib/{}-linux-gnu/faketime", std::env::consts::ARCH);
    let program = places::program(&format!("highwater-{component}"))?;
    let program = program.to_str().context("a path in UTF-8")?;
    let container = json!({
        "name": component, "image": "localhost/postgres:dev", "command": ["/own/program"],
        "env": [
            {"name": "LD_PRELOAD", "value": "/own/clock/libfaketime.so.1"},
            {"name": "FAKETIME", "value": "+1h"},
            {"name": "FAKETIME_DONT_FAKE_MONOTONIC", "value": "1"}, // waiting stays right
        ],
        "volumeMounts": [
            {"name": "program", "mountPath": "/own/program"},
            {"name": "clock", "mountPath": "/own/clock"},
        ],
    });
    let volumes = json!([
        {"name": "program", "hostPath": {"path": program, "type": "File"}},
        {"name": "clock", "hostPath": {"path": library, "type": "Directory"}},
    ]);
    Ok(json!({"spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}}}))
}
