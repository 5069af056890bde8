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
    /// Those between the first two numbers, which came in an `idle` time, and those of the `growths` since the second.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn count(
        world: &World,
        objects: &Objects,
        (before, grown_from): (usize, usize),
        idle: Duration,
        growths: usize,
    ) -> anyhow::Result<Self> {
        let mut all = audit::written_by_highwater(world, objects.namespace())?;
        let mut growing = BTreeMap::new();
        for what in all.split_off(grown_from) {
            *growing.entry(what).or_default() += 1;
        }
        Ok(Self {
            growths,
            growing,
            idle: (idle, all.split_off(before)),
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
