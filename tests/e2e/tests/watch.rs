//! `kubectl highwater watch` as a program whose output is no terminal, while a volume of the running cluster grows.

use std::{os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use e2e::{Database, Shape, scenario, wait::PATIENCE};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::ChildStdout,
    time::timeout,
};
use units::Reason;

type Output = Lines<BufReader<ChildStdout>>;

/// Reads lines until one is of this database and holds the word, and answers with it.
async fn until_line(output: &mut Output, database: &str, word: &str) -> anyhow::Result<String> {
    let found = async {
        while let Some(line) = output.next_line().await? {
            if line.contains(&format!("  {database}  ")) && line.contains(word) {
                return Ok(line);
            }
        }
        anyhow::bail!("the output ends")
    };
    timeout(PATIENCE, found)
        .await
        .with_context(|| format!("no line with {word:?}"))?
}

#[tokio::test]
async fn each_change_is_a_line_and_an_interrupt_ends_it() {
    scenario("watch", async |world, objects| {
        let db = Database::create(&world, &objects, "pg", Shape::default()).await?;
        db.autoscale(json!({})).await?;
        db.until_reason(Reason::BelowThreshold).await?;
        let arguments = [
            "highwater",
            "watch",
            "--interval",
            "100ms",
            "-n",
            objects.namespace(),
        ];
        let mut watch = world
            .kubectl_command(&arguments)?
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(watch.stdout.take().context("its output")?).lines();
        let name = format!("{}/pg", objects.namespace());
        let first = until_line(&mut output, &name, "BelowThreshold").await?;
        ensure!(first.contains(" of 400Mi"), "{first}");

        let volume = db.volume(&world).await?;
        let before = volume.space()?.capacity;
        volume.fill_to(85.0)?;
        volume.until_larger_than(before).await?;
        let sizes = db.settled(&world).await?;
        let grown = until_line(&mut output, &name, &format!(" of {}", sizes.requested)).await?;
        ensure!(
            !grown.contains('\u{1b}'),
            "no colour where it is no terminal: {grown}"
        );

        // kubectl becomes the plugin: the number is that of the program itself.
        let pid = watch.id().context("it runs")?;
        kill(Pid::from_raw(pid.try_into()?), Signal::SIGINT)?;
        let ended = timeout(Duration::from_secs(5), watch.wait()).await??;
        // A shell calls this 130, as that of kubectl's own --watch.
        ensure!(ended.signal() == Some(Signal::SIGINT as i32), "{ended}");
        Ok(())
    })
    .await;
}
