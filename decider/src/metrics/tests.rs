use std::{collections::BTreeSet, path::Path};

use prometheus_client::encoding::text::encode;
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

/// The same as text, whose HELP names metrics without the ends that the samples have.
fn exported() -> String {
    let mut text = String::new();
    encode(&mut text, &registered()).unwrap();
    text
}

/// A metric registered with a unit is named without it in the source.
fn with_and_without_unit(name: &str) -> impl Iterator<Item = &str> {
    let units = ["_seconds", "_bytes"];
    std::iter::once(name).chain(units.into_iter().filter_map(|unit| name.strip_suffix(unit)))
}

/// A rule about a metric that nobody exports never fires, and nobody notices.
#[test]
fn rules_dashboard_and_documentation_name_metrics_that_are_exported() {
    let ours = exported();
    // Of the other boxes, and of what all of them share, the places where they are registered.
    let others = [
        ("highwater_decider_", "control/src/leader.rs"),
        ("highwater_executor_", "executor/src/metrics.rs"),
        ("highwater_agent_", "agent/src/metrics.rs"),
    ]
    .map(|(prefix, path)| (prefix, read(path)));
    for path in ["deploy/alerts/highwater.yaml", "deploy/dashboards/highwater.json"] {
        let text = read(path);
        let names = named(&text);
        assert!(names.len() > 5, "{path}: {names:?}");
        for name in names {
            let bare = ["_total", "_bucket"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            let registered = others.iter().any(|(prefix, source)| {
                let own = bare.strip_prefix(prefix);
                own.is_some_and(|own| {
                    with_and_without_unit(own).any(|n| source.contains(&format!("\"{n}\"")))
                })
            });
            let exported = ours.lines().any(|l| l.starts_with(&format!("# HELP {bare} ")));
            assert!(
                exported || registered,
                "{path} names {name}, which nobody exports"
            );
        }
    }
}

#[test]
fn all_are_on_the_page_of_metrics() {
    let page = read("docs/metrics.md");
    assert_eq!(
        metrics_page::rows(&registered()).unwrap(),
        metrics_page::section(&page, "## Decider")
    );
}
