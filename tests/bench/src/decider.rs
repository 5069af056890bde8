//! What the decider costs at the size of a large fleet: 5,000 agents with 30 volumes each and 50,000 databases, on one
//! machine and without Kubernetes.
//!
//! Three processes at a time: the real decider as it is shipped, the agents ([`agents`]: every stream is a real one) and an API server
//! that is none ([`api`]). The decider is measured from outside: its threads' time on a processor and its memory as the
//! kernel counts them, answers as the agents get them, and what its own admin port tells. After it the same agents speak to a
//! server that does nothing but listen ([`listener`]).

pub mod agents;
pub mod api;
pub mod args;
pub mod cost;
pub mod decisions;
pub mod fleet;
pub mod http;
pub mod listener;
pub mod metrics;
pub mod parts;
pub mod rounds;
pub mod table;

use args::{Args, Part};
use fleet::Fleet;
use table::Table;

/// All three sizes, one after the other.
const SIZES: [u32; 3] = [1, 10, 100];

/// Runs the benchmark, or the part of it that is asked for.
///
/// # Errors
/// When a process does not come up or a figure cannot be had.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Args {
        percent,
        seconds,
        decider,
        part,
    } = args;
    match part {
        Some(Part::ApiServer { percent }) => return api::serve(Fleet::of(percent)).await,
        Some(Part::Agents { percent, decider }) => return agents::run(Fleet::of(percent), decider).await,
        Some(Part::Listener) => return listener::serve().await,
        None => {}
    }
    let sizes = if percent.is_empty() {
        SIZES.to_vec()
    } else {
        percent
    };
    let mut table = Table::default();
    for size in sizes {
        let figures = rounds::run(size, seconds, decider.as_deref()).await?;
        table.add(size, figures);
        println!("\n{table}");
    }
    Ok(())
}
