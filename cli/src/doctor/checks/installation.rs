//! What the chart brings, and what must not be beside it.

use super::verdict;
use crate::doctor::{Facts, Told, Wrong, facts::Lease};

/// Definitions and the version of each that Highwater reads.
const DEFINITIONS: [(&str, &str); 6] = [
    ("postgreses.kubedb.com", "v1"),
    ("petsets.apps.k8s.appscode.com", "v1"),
    ("postgresversions.catalog.kubedb.com", "v1alpha1"),
    ("postgresautoscalers.autoscaling.kubedb.com", "v1alpha1"),
    ("postgresopsrequests.ops.kubedb.com", "v1alpha1"),
    ("storageprofiles.highwater.dev", "v1alpha1"),
];
/// Boxes that decide or act, which one replica at a time leads.
const LED: [&str; 3] = ["decider", "executor", "provisioner"];
const BOXES: [&str; 4] = ["agent", "decider", "executor", "provisioner"];

/// The kinds are there, in the version that is read.
pub(super) fn definitions(facts: &Facts) -> Told {
    let known = facts
        .definitions
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let mut wrong = Vec::new();
    for (name, version) in DEFINITIONS {
        match known.iter().find(|d| d.name == name) {
            None => wrong.push(Wrong::fault(
                format!("CustomResourceDefinition {name} is missing"),
                "kubectl apply --server-side -f deploy/crds, or install the chart with crds.install=true",
            )),
            Some(d) if !d.served.iter().any(|v| v == version) => wrong.push(Wrong::fault(
                format!(
                    "CustomResourceDefinition {name} does not serve {version}, only {}",
                    d.served.join(", ")
                ),
                "upgrade the definitions: deploy/crds.sh, or KubeDB where it owns them",
            )),
            Some(d) if !d.established => wrong.push(Wrong::fault(
                format!("CustomResourceDefinition {name} is not established"),
                format!("see kubectl describe customresourcedefinition {name}"),
            )),
            Some(_) => {}
        }
    }
    verdict(wrong, format!("all {} are there", DEFINITIONS.len()))
}

/// Agents and deciders run; executor and provisioner do where they are installed.
pub(super) fn processes(facts: &Facts) -> Told {
    facts
        .workloads
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    for component in BOXES {
        let namespace = &facts.namespace;
        match facts.ours(component) {
            None if matches!(component, "agent" | "decider") => wrong.push(Wrong::fault(
                format!("highwater-{component} is not installed in namespace {namespace}"),
                "install the chart, or name its namespace with --highwater-namespace",
            )),
            None => {}
            Some(w) if w.ready == 0 || component == "agent" && w.ready < w.wanted => {
                wrong.push(Wrong::fault(
                    format!(
                        "highwater-{component}: {} of {} pods are ready",
                        w.ready, w.wanted
                    ),
                    format!(
                        "see kubectl -n {namespace} describe pods -l app.kubernetes.io/component={component}"
                    ),
                ))
            }
            Some(w) if w.ready < w.wanted => wrong.push(Wrong::warning(
                format!(
                    "highwater-{component}: {} of {} pods are ready",
                    w.ready, w.wanted
                ),
                format!(
                    "see kubectl -n {namespace} describe pods -l app.kubernetes.io/component={component}"
                ),
            )),
            Some(w) => right.push(format!("{component} {}", w.ready)),
        }
    }
    verdict(wrong, format!("ready: {}", right.join(", ")))
}

/// Agents and deciders speak one version of the wire.
pub(super) fn versions(facts: &Facts) -> Told {
    facts
        .workloads
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let tag = |image: &str| match image.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag.to_owned(),
        _ => "latest".to_owned(),
    };
    let boxes = BOXES
        .iter()
        .filter_map(|c| Some((*c, tag(&facts.ours(c)?.image))));
    let boxes: Vec<_> = boxes.collect();
    let Some((_, first)) = boxes.first() else {
        return Ok("nothing is installed".into());
    };
    if boxes.iter().all(|(_, tag)| tag == first) {
        return Ok(format!("all run {first}"));
    }
    let all: Vec<_> = boxes.iter().map(|(c, tag)| format!("{c} {tag}")).collect();
    Err(vec![Wrong::warning(
        format!("the boxes run different images: {}", all.join(", ")),
        "finish the upgrade: helm upgrade with one image.tag",
    )])
}

/// Without it no pod of Highwater is made.
pub(super) fn priority_class(facts: &Facts) -> Told {
    match facts.priority_class.as_ref() {
        Ok(true) => Ok("highwater is there".into()),
        Ok(false) => Err(vec![Wrong::fault(
            "PriorityClass highwater is missing: pods of Highwater cannot be made anew",
            "upgrade the chart, which brings it",
        )]),
        Err(why) => Err(vec![Wrong::unknown(why)]),
    }
}

/// Two controllers for the same objects fight over each of them.
pub(super) fn beside_kubedb(facts: &Facts) -> Told {
    let workloads = facts
        .workloads
        .as_ref()
        .map_err(|why| vec![Wrong::unknown(why)])?;
    let standalone = facts.definitions.as_ref().is_ok_and(|all| {
        all.iter()
            .any(|d| d.name == "postgresautoscalers.autoscaling.kubedb.com" && d.ours)
    });
    let mut wrong = Vec::new();
    for w in workloads
        .iter()
        .filter(|w| w.app.starts_with("kubedb-") && w.wanted > 0)
    {
        let who = format!("{} ({}/{})", w.app, w.namespace, w.name);
        match w.app.as_str() {
            "kubedb-autoscaler" => wrong.push(Wrong::fault(
                format!("{who} runs beside the decider: both make requests for the same databases"),
                "set kubedb-autoscaler.enabled=false in KubeDB's installation",
            )),
            "kubedb-ops-manager" if facts.ours("executor").is_some() => wrong.push(Wrong::fault(
                format!("{who} runs beside the executor: both carry out each PostgresOpsRequest"),
                "set executor.enabled=false in Highwater's chart",
            )),
            _ if standalone => wrong.push(Wrong::fault(
                format!("{who} runs, and the definitions are Highwater's own"),
                "remove KubeDB, or install Highwater with mode=alongside upon KubeDB's definitions",
            )),
            _ => {}
        }
    }
    verdict(wrong, "nothing of it is in the way")
}

/// Of each box one replica leads, and says so again in time.
pub(super) fn leaders(facts: &Facts) -> Told {
    let leases = facts.leases.as_ref().map_err(|why| vec![Wrong::unknown(why)])?;
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    let installed = LED.iter().filter(|c| **c == "decider" || facts.ours(c).is_some());
    for component in installed {
        let name = format!("highwater-{component}");
        let lease = leases
            .iter()
            .find(|l| l.namespace == facts.namespace && l.name == name);
        match lease {
            Some(lease) if is_fresh(lease, facts) => right.push(lease.holder.clone()),
            Some(lease) if lease.holder.is_empty() => {
                wrong.push(without(component, "gave its Lease back, and no other took it"))
            }
            Some(lease) => wrong.push(without(
                component,
                &format!("{} has let its Lease expire", lease.holder),
            )),
            None => wrong.push(without(component, "its Lease was never made")),
        }
    }
    verdict(wrong, right.join(", "))
}

fn without(component: &str, why: &str) -> Wrong {
    Wrong::fault(
        format!("no {component} leads: {why}"),
        format!("see the logs of highwater-{component}, and whether it may update its Lease"),
    )
}

/// The time of the server has no fractions; one second more is no staleness.
pub(super) fn is_fresh(lease: &Lease, facts: &Facts) -> bool {
    let age = lease
        .renewed
        .map(|renewed| facts.now().duration_since(renewed).as_secs());
    !lease.holder.is_empty() && age.is_some_and(|age| age <= i64::from(lease.lasts) + 1)
}

/// The view answers, and this user may ask.
pub(super) fn view(facts: &Facts) -> Told {
    if facts.may_ask == Ok(false) {
        return Err(vec![Wrong::fault(
            format!(
                "you may not get services/proxy of {} in namespace {}",
                api::view::SERVICE,
                facts.namespace
            ),
            "have an administrator bind you to ClusterRole highwater-view",
        )]);
    }
    match &facts.databases {
        Ok(answer) => Ok(format!("{} answers", answer.replica.name)),
        Err(why) => Err(vec![Wrong::fault(
            why.clone(),
            "see the log of highwater-decider and the Service highwater-view; a network policy must let the API server reach port 7401",
        )]),
    }
}
