//! The databases, and what looks after them.

use std::collections::BTreeMap;

use units::Reason;

use super::verdict;
use crate::{
    doctor::{Facts, Told, Wrong},
    human,
};

/// Beyond it samples of a node that is right are refused: half of the decider's limit.
const MOST_SKEW: i64 = 3;
/// A growth that takes longer is looked at. A driver's own rounds take minutes at most.
const LONG: u64 = 15 * 60;

/// Clocks of this machine, the API server, the deciders and the nodes.
pub(super) fn clocks(facts: &Facts) -> Told {
    let mut wrong = Vec::new();
    let there = facts.there.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let off = |of: jiff::Timestamp| of.duration_since(*there).as_secs();
    let here = off(facts.here);
    if here.abs() > MOST_SKEW {
        wrong.push(Wrong::warning(
            format!("this machine's clock is {here} s off the API server's"),
            "synchronise it; ages that are printed here are off by as much",
        ));
    }
    if let Ok(answer) = &facts.nodes {
        let decider = off(answer.replica.at);
        if decider.abs() > MOST_SKEW {
            wrong.push(Wrong::fault(
                format!(
                    "the clock of {} is {decider} s off the API server's",
                    answer.replica.name
                ),
                "synchronise the clock of its node: samples of other nodes are refused",
            ));
        }
    }
    let databases = facts.databases.iter().flat_map(|a| &a.content);
    for volume in databases.flat_map(|d| &d.volumes) {
        if volume.reason == Reason::ClockSkew.as_str() {
            wrong.push(Wrong::fault(volume.text.clone(), Reason::ClockSkew.remedy()));
        }
    }
    verdict(wrong, "they agree")
}

/// Every node with a database's pod has an agent that reports.
pub(super) fn agents(facts: &Facts) -> Told {
    let agents = facts.agents.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let pods = facts.pods.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let databases = facts
        .databases
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let ours = |namespace: &str, claim: &str| {
        let of = databases.content.iter().filter(|d| d.namespace == namespace);
        of.flat_map(|d| &d.volumes).any(|v| v.claim == claim)
    };
    let mut nodes = BTreeMap::new();
    for pod in pods.iter().filter(|p| !p.node.is_empty()) {
        if pod.claims.iter().any(|claim| ours(&pod.namespace, claim)) {
            nodes.entry(pod.node.as_str()).or_insert(pod);
        }
    }
    let mut wrong = Vec::new();
    for (node, pod) in &nodes {
        let example = format!("which runs {}/{}", pod.namespace, pod.name);
        match agents.iter().find(|a| a.node == **node) {
            None => wrong.push(Wrong::fault(
                format!("node {node}, {example}, has no agent"),
                "see agent.nodeSelector and agent.tolerations of the chart, and the node's taints",
            )),
            Some(agent) if !agent.ready => wrong.push(Wrong::fault(
                format!("the agent {} of node {node}, {example}, is not ready", agent.name),
                format!("see kubectl -n {} describe pod {}", facts.namespace, agent.name),
            )),
            Some(agent) if !reports(facts, node) => wrong.push(Wrong::fault(
                format!(
                    "the agent {} of node {node}, {example}, does not report to the decider",
                    agent.name
                ),
                "see its log; a network policy must let it reach port 7400 of highwater-decider",
            )),
            Some(_) => {}
        }
    }
    verdict(wrong, format!("on all {} nodes with databases", nodes.len()))
}

/// What a view that does not answer would say is another check's business.
fn reports(facts: &Facts, node: &str) -> bool {
    let known = facts.nodes.as_ref().map(|answer| &answer.content.nodes);
    known.map_or(true, |all| all.iter().any(|n| n.name == node && n.connected))
}

/// Every autoscaler could act if it had to.
pub(super) fn autoscalers(facts: &Facts) -> Told {
    let answer = facts
        .databases
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let mut wrong = Vec::new();
    for database in &answer.content {
        let Some(barrier) = database.barrier.as_deref().filter(|_| !database.can_grow) else {
            continue;
        };
        let known = Reason::of_word(barrier);
        let name = format!("{}/{}", database.namespace, database.name);
        let said = if database.decision.reason == barrier {
            database.decision.text.clone()
        } else {
            known.map_or("", |r| r.meaning().trim()).to_owned()
        };
        let text = format!("{name} cannot grow: {barrier}: {said}");
        let remedy = known.map_or("", |r| r.remedy());
        wrong.push(match known {
            // As its owner wants it.
            Some(Reason::TriggerOff | Reason::Shadow) => Wrong::warning(text, remedy),
            _ => Wrong::fault(text, remedy),
        });
    }
    verdict(wrong, format!("all {} can grow", answer.content.len()))
}

/// No growth is stuck.
pub(super) fn requests(facts: &Facts) -> Told {
    let requests = facts.requests.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let age = |r: &&crate::doctor::facts::Request| {
        u64::try_from(facts.now().duration_since(r.created).as_secs()).unwrap_or(0)
    };
    let wrong = requests.iter().filter(|r| age(r) > LONG).map(|r| {
        Wrong::fault(
            format!(
                "PostgresOpsRequest {} is not done after {}: {}",
                r.name,
                human::length(age(&r)),
                r.says
            ),
            "docs/reasons.md says what to do about the reason",
        )
    });
    verdict(wrong.collect(), format!("{} under way", requests.len()))
}
