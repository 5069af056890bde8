//! What Highwater writes to the API server, counted from its audit log; leases, which are not in it, left out.

use std::{collections::BTreeMap, fmt, time::Duration};

use e2e::{Objects, World, audit};

/// Writes of some growths, by verb and resource, and of a time without any.
#[derive(Debug)]
pub struct Writes {
    growths: usize,
    growing: BTreeMap<String, usize>,
    idle: (Duration, Vec<String>),
}

/// How many there were in a namespace.
///
/// # Errors
/// When the log cannot be read.
pub fn so_far(world: &World, objects: &Objects) -> anyhow::Result<usize> {
    Ok(audit::written_by_highwater(world, objects.namespace())?.len())
}

impl Writes {
    /// Those of `growths`, which came after the first `before`, and those of the next `idle`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn count(
        world: &World,
        objects: &Objects,
        before: usize,
        growths: usize,
        idle: Duration,
    ) -> anyhow::Result<Self> {
        let after = so_far(world, objects)?;
        tokio::time::sleep(idle).await;
        let mut all = audit::written_by_highwater(world, objects.namespace())?;
        let unprompted = all.split_off(after);
        let mut growing = BTreeMap::new();
        for what in all.into_iter().skip(before) {
            *growing.entry(what).or_default() += 1;
        }
        Ok(Self {
            growths,
            growing,
            idle: (idle, unprompted),
        })
    }
}

impl fmt::Display for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.growing.values().sum();
        let each = |n: usize| n as f64 / self.growths as f64;
        writeln!(f, "\nwrites to the API server, a growth  {:.1}", each(all))?;
        for (what, n) in &self.growing {
            writeln!(f, "  {what:<40}{:5.1}", each(*n))?;
        }
        let (idle, unprompted) = &self.idle;
        write!(
            f,
            "without a growth, in {} s  {}",
            idle.as_secs(),
            unprompted.len()
        )?;
        unprompted.iter().try_for_each(|what| write!(f, "\n  {what}"))
    }
}
