//! The database from its manifest to Ready, told as it happens.

use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{Managed, managed::MAKING, objects::kinds, wait};
use serde_json::{Value, json};

/// Creates the namespace and the Postgres anew and waits until it is Ready.
///
/// # Errors
/// When something is refused, or it does not become Ready: with what its conditions say.
pub(crate) async fn make(db: &Managed, postgres: &Value) -> anyhow::Result<Duration> {
    let namespace = db.objects.namespace();
    db.objects.remove(&kinds::NAMESPACE, namespace).await?;
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    db.objects
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}))
        .await?;
    let started = Instant::now();
    db.objects.apply(postgres).await?;
    let mut told = String::new();
    let ready = |seen: Option<&Value>| seen.is_some_and(|postgres| wait::phase(postgres) == "Ready");
    for phase in ["Provisioning", "Ready"] {
        let seen = db
            .objects
            .until_within(MAKING, &kinds::POSTGRES, &db.name, phase, |seen| {
                ready(seen) || seen.is_some_and(|postgres| wait::phase(postgres) == phase)
            })
            .await?;
        let now = seen.as_ref().map(wait::phase).unwrap_or_default();
        if now != told {
            println!("{:6.2} s  Postgres {now}", started.elapsed().as_secs_f64());
            now.clone_into(&mut told);
        }
    }
    for member in db.members().await? {
        println!(
            "{:6.2} s  {} is the {}",
            started.elapsed().as_secs_f64(),
            member.pod,
            member.role
        );
    }
    Ok(started.elapsed())
}

/// Applies a request and tells each of its conditions as it comes; returns how long it took.
///
/// # Errors
/// When it does not end as Successful within `patience`.
pub(crate) async fn carry_out(
    db: &Managed,
    manifest: &Value,
    patience: Duration,
) -> anyhow::Result<Duration> {
    let name = manifest["metadata"]["name"]
        .as_str()
        .context("the example has a name")?;
    let started = Instant::now();
    db.objects.apply(manifest).await?;
    let told = std::cell::RefCell::new(Vec::new());
    let tell = |request: Option<&Value>| {
        let conditions = request.and_then(|request| request.pointer("/status/conditions")?.as_array());
        for condition in conditions.into_iter().flatten() {
            let line = format!(
                "{}: {}",
                condition["type"].as_str().unwrap_or_default(),
                condition["message"].as_str().unwrap_or_default()
            );
            let mut told = told.borrow_mut();
            if condition["status"] == "True" && !told.contains(&line) {
                println!("{:6.2} s  {line}", started.elapsed().as_secs_f64());
                told.push(line);
            }
        }
        request.is_some_and(|request| matches!(wait::phase(request), "Successful" | "Failed" | "Skipped"))
    };
    db.objects
        .until_within(patience, &kinds::REQUEST, name, "finished", tell)
        .await?;
    db.finished(name, patience).await?;
    Ok(started.elapsed())
}
