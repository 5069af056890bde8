//! What is printed, and how far a figure may be from its bound before the benchmark fails.

use std::fmt;

use anyhow::ensure;

use crate::{Costs, cost::Cost};

/// A shared machine drifts: the benchmark fails only when a figure misses its bound by more than this factor.
const SLACK: f64 = 1.5;
const MIB: f64 = 1_048_576.0;

/// A figure and what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What it is, with its unit.
    pub what: &'static str,
    /// What it came to.
    pub value: f64,
    /// What is wanted.
    pub bound: Bound,
}

/// What is wanted of a figure.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// Everything that was measured.
#[derive(Debug)]
pub struct Table {
    costs: Costs,
    figures: Vec<Figure>,
}

impl Table {
    /// Of the costs and the figures of the wire.
    #[must_use]
    pub fn of(costs: Costs, wire: Vec<Figure>) -> Self {
        let mut figures = ratios(&costs).to_vec();
        figures.extend(wire);
        Self { costs, figures }
    }

    /// Fails when a figure is far beyond its bound.
    ///
    /// # Errors
    /// Names the first such figure.
    pub fn verdict(&self) -> anyhow::Result<()> {
        for Figure { what, value, bound } in &self.figures {
            ensure!(
                bound.is_met(*value, SLACK),
                "{what}: {value:.1}, which is far from {bound}"
            );
        }
        Ok(())
    }
}

/// The bounds of the costs, each as a ratio within the run where it is of two programs.
fn ratios(costs: &Costs) -> [Figure; 5] {
    let Costs {
        agent,
        exporter,
        bare,
        volumes,
        exported,
    } = costs;
    let (ours, theirs) = (
        agent.processor / *volumes as f64,
        exporter.processor / *exported as f64,
    );
    [
        Figure {
            what: "processor a sample, exporter over agent",
            value: theirs / ours,
            bound: Bound::AtLeast(10.0),
        },
        Figure {
            what: "resident memory, exporter over agent",
            value: exporter.resident / agent.resident,
            bound: Bound::AtLeast(2.5),
        },
        Figure {
            what: "resident memory of the agent at most, MiB",
            value: agent.most_resident / MIB,
            bound: Bound::AtMost(8.0),
        },
        Figure {
            what: "anonymous memory, exporter over agent",
            value: exporter.anonymous / agent.anonymous,
            bound: Bound::AtLeast(4.0),
        },
        Figure {
            what: "processor, agent over bare loop",
            value: agent.processor / bare.processor,
            bound: Bound::AtMost(2.0),
        },
    ]
}

impl Bound {
    fn is_met(self, value: f64, slack: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value * slack >= bound,
            Self::AtMost(bound) => value <= bound * slack,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::AtMost(bound) => write!(f, "<= {bound}"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Costs {
            agent,
            exporter,
            bare,
            volumes,
            exported,
        } = &self.costs;
        writeln!(f, "{:44}{:>10}{:>10}{:>10}", "", "agent", "exporter", "bare loop")?;
        let mut row = |what: &str, of: [f64; 3], digits: usize| {
            let [agent, exporter, bare] = of;
            writeln!(
                f,
                "{what:44}{agent:>10.digits$}{exporter:>10.digits$}{bare:>10.digits$}"
            )
        };
        let (ours, theirs) = (*volumes as f64, *exported as f64);
        let each = |part: fn(&Cost) -> f64| [agent, exporter, bare].map(part);
        let [agents, exporters, bares] = each(|cost| cost.processor * 1e6);
        row("filesystems", [ours, theirs, ours], 0)?;
        row(
            "processor, us a sample",
            [agents / ours, exporters / theirs, bares / ours],
            2,
        )?;
        row("resident memory, MiB", each(|cost| cost.resident / MIB), 1)?;
        row("anonymous memory, MiB", each(|cost| cost.anonymous / MIB), 1)?;
        writeln!(f)?;
        for Figure { what, value, bound } in &self.figures {
            let says = if bound.is_met(*value, 1.0) {
                "holds"
            } else {
                "missed"
            };
            writeln!(
                f,
                "{what:44}{value:>10.1}  {bound:8}{says}",
                bound = bound.to_string()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Table};
    use crate::{Costs, cost::Cost};

    fn cost(processor: f64, memory: f64) -> Cost {
        Cost {
            processor,
            resident: memory,
            most_resident: memory,
            anonymous: memory,
        }
    }

    #[test]
    fn every_bound_is_named_and_judged() {
        let costs = Costs {
            agent: cost(0.01, 6e6),
            exporter: cost(0.08, 60e6),
            bare: cost(0.006, 1e6),
            volumes: 100,
            exported: 100,
        };
        let table = Table::of(costs, vec![]);
        let printed = table.to_string();
        let words = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in [
            "processor, us a sample 100.00 800.00 60.00",
            "exporter over agent 8.0 >= 10 missed",
            "agent over bare loop 1.7 <= 2 holds",
        ] {
            assert!(words.contains(line), "{printed}");
        }
        assert!(table.verdict().is_ok());
    }

    #[test]
    fn far_beyond_a_bound_is_more_than_half_as_much_again() {
        assert!(Bound::AtMost(10.0).is_met(15.0, 1.5) && !Bound::AtMost(10.0).is_met(15.1, 1.5));
        assert!(Bound::AtLeast(9.0).is_met(6.0, 1.5) && !Bound::AtLeast(9.0).is_met(5.9, 1.5));
    }
}
