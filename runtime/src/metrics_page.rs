//! The page of metrics, `docs/metrics.md`, for the tests that compare it with what is registered: dashboards and alerts are made
//! of these names, so that none comes, goes or changes unnoticed.

use std::fmt;

use prometheus_client::{encoding::text::encode, registry::Registry};

/// Ends that the text form adds to a name.
const ENDS: [(&str, &str); 2] = [("counter", "_total"), ("info", "_info")];

/// One metric, as it is scraped.
#[derive(Debug, Default)]
struct Metric {
    name: String,
    help: String,
    kind: String,
    labels: Vec<String>,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            help,
            kind,
            labels,
        } = self;
        let end = ENDS.iter().find(|(of, _)| of == kind).map_or("", |(_, end)| end);
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        write!(f, "| `{name}{end}{labels}` | {kind} | {help} |")
    }
}

/// A row of the page for each metric of a registry, in its order. A family that has no sample yet is not told of.
///
/// # Errors
/// If the registry cannot be told.
pub fn rows(registry: &Registry) -> Result<Vec<String>, fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    let mut metrics: Vec<Metric> = Vec::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            metrics.push(Metric {
                name: name.to_owned(),
                help: help.trim_end_matches('.').to_owned(),
                ..Metric::default()
            });
        } else if let Some(metric) = metrics.last_mut() {
            match line.strip_prefix("# TYPE ").and_then(|l| l.rsplit(' ').next()) {
                Some(kind) => kind.clone_into(&mut metric.kind),
                None if metric.labels.is_empty() => metric.labels = labels(line),
                None => {}
            }
        }
    }
    Ok(metrics.iter().map(ToString::to_string).collect())
}

/// Names of the labels of a sample; the bounds of a histogram are none.
fn labels(sample: &str) -> Vec<String> {
    let inside = sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
    let pairs = inside.into_iter().flat_map(|(inside, _)| inside.split(','));
    let names = pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, _)| name);
    names.filter(|name| *name != "le").map(str::to_owned).collect()
}

/// The rows that the page has under a heading.
#[must_use]
pub fn section(page: &str, heading: &str) -> Vec<String> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let own = lines.take_while(|line| !line.starts_with('#'));
    own.filter(|line| line.starts_with("| `"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

    use super::*;
    use crate::build;

    #[test]
    fn a_row_has_the_name_as_it_is_queried() {
        let mut registry = Registry::with_prefix("box");
        let steps = Family::<[(&str, &str); 2], Counter>::default();
        registry.register("steps", "Steps done", steps.clone());
        registry.register("time_seconds", "Time taken", Histogram::new([1.0]));
        let time = "| `box_time_seconds` | histogram | Time taken |";
        assert_eq!(rows(&registry).unwrap(), [time]);
        steps.get_or_create(&[("step", "a"), ("kind", "b")]).inc();
        let steps = "| `box_steps_total{step,kind}` | counter | Steps done |";
        assert_eq!(rows(&registry).unwrap(), [steps, time]);
        let page = format!("# Page\n{time}\n\n## Box\n| Metric |\n|---|\n{steps}\n\n## Next\n{time}\n");
        assert_eq!(section(&page, "## Box"), [steps]);
    }

    #[test]
    fn the_build_is_on_the_page() {
        let page = include_str!("../../docs/metrics.md");
        let rows = rows(&build::registry("*")).unwrap();
        assert_eq!(rows, section(page, "## Every box"));
    }
}
