use std::{collections::BTreeSet, path::Path};

use runtime::metrics_page;

use super::*;

/// Every name that begins with the product's in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("highwater_")).collect()
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All that a decider has of its own, each family with a sample.
fn registered() -> Registry {
    let mut registry = Registry::with_prefix("highwater_decider");
    let metrics = Metrics::register(&mut registry);
    metrics.decided(Reason::BelowThreshold);
    metrics.refused(Reason::UnknownPod);
    metrics.create_failed(Reason::CreateFailed);
    let standing = Standing {
        reason: Reason::Stale,
        barrier: Some(Reason::Stale),
        full_soon: true,
        stale: 1,
    };
    metrics.moved(None, Some(&standing));
    registry
}

/// What a query may name: of each metric on the page the samples that its type has.
fn samples(page: &str) -> BTreeSet<String> {
    let (mut heading, mut all) = ("", BTreeSet::new());
    for line in page.lines() {
        if line.starts_with("## ") {
            heading = line;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", name, kind, ..] = cells[..] else {
            continue;
        };
        let name = name.trim_matches('`');
        let name = name.split_once('{').map_or(name, |(name, _)| name);
        let ends: &[&str] = match kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            // A counter has its end on the page.
            "counter" | "gauge" | "info" => &[""],
            _ => continue,
        };
        let but = usize::from(heading != "## Every box");
        for of in ["agent", "decider", "executor", "provisioner"]
            .into_iter()
            .skip(but)
        {
            all.extend(ends.iter().map(|end| name.replace('*', of) + end));
        }
    }
    all
}

/// A rule about a metric that nobody exports never fires, and nobody notices; a test of each box compares what it exports with
/// the page.
#[test]
fn rules_and_dashboard_query_samples_of_metrics_on_the_page() {
    let samples = samples(&read("docs/metrics.md"));
    for path in ["deploy/alerts/highwater.yaml", "deploy/dashboards/highwater.json"] {
        let text = read(path);
        let names = named(&text);
        assert!(names.len() > 5, "{path}: {names:?}");
        for name in names {
            assert!(
                samples.contains(name),
                "{path} names {name}, which nobody exports"
            );
        }
    }
}

#[test]
fn a_metric_is_queried_by_what_its_type_has() {
    let page = "## Box\n| Metric | Type | Says |\n|---|---|---|\n| `a_total{by}` | counter | A |\n| `b` | gauge | B |\n\
                | `c` | histogram | C |\n## Every box but the agent\n| `*_d` | gauge | D |\n";
    let expected = [
        "a_total",
        "b",
        "c_bucket",
        "c_count",
        "c_sum",
        "decider_d",
        "executor_d",
        "provisioner_d",
    ];
    assert_eq!(samples(page), BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn all_are_on_the_page_of_metrics() {
    let page = read("docs/metrics.md");
    assert_eq!(
        metrics_page::rows(&registered()).unwrap(),
        metrics_page::section(&page, "## Decider")
    );
}
