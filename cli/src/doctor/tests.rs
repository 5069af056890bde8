//! A sound installation, and each way to break it.

use api::view::{Answer, Database, Decision, Node, Nodes, Replica, Volume};
use jiff::Timestamp;

use super::{
    facts::{Class, Definition, Lease, Pod, Request, Workload},
    *,
};

mod fleet;
mod installation;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn definition(name: &str, version: &str) -> Definition {
    Definition {
        name: name.into(),
        served: vec![version.into()],
        established: true,
        ours: true,
    }
}

fn workload(name: &str, count: i32) -> Workload {
    Workload {
        namespace: "highwater".into(),
        name: name.into(),
        app: "highwater".into(),
        wanted: count,
        ready: count,
        image: format!("registry.example.com:5000/{name}:0.1.0"),
    }
}

fn lease(namespace: &str, name: &str) -> Lease {
    Lease {
        namespace: namespace.into(),
        name: name.into(),
        holder: format!("{name}-0"),
        renewed: Some(at(-2)),
        lasts: 8,
    }
}

fn database() -> Database {
    Database {
        namespace: "demo".into(),
        name: "shop".into(),
        can_grow: true,
        volumes: vec![Volume {
            claim: "data-shop-0".into(),
            storage_class: "fast".into(),
            ..Volume::default()
        }],
        ..Database::default()
    }
}

fn answer<T>(content: T) -> Answer<T> {
    Answer {
        replica: Replica {
            name: "highwater-decider-0".into(),
            leads: true,
            at: at(0),
            ..Replica::default()
        },
        content,
    }
}

fn pod(name: &str, claims: &[&str]) -> Pod {
    Pod {
        namespace: "demo".into(),
        name: name.into(),
        node: "node-1".into(),
        ready: true,
        claims: claims.iter().map(|c| (*c).to_owned()).collect(),
    }
}

fn sound() -> Facts {
    Facts {
        namespace: "highwater".into(),
        here: at(1),
        there: Ok(at(0)),
        definitions: Ok(vec![
            definition("postgreses.kubedb.com", "v1"),
            definition("petsets.apps.k8s.appscode.com", "v1"),
            definition("postgresversions.catalog.kubedb.com", "v1alpha1"),
            definition("postgresautoscalers.autoscaling.kubedb.com", "v1alpha1"),
            definition("postgresopsrequests.ops.kubedb.com", "v1alpha1"),
            definition("storageprofiles.highwater.dev", "v1alpha1"),
        ]),
        workloads: Ok(vec![
            workload("highwater-agent", 1),
            workload("highwater-decider", 2),
            workload("highwater-executor", 2),
            workload("highwater-provisioner", 2),
        ]),
        leases: Ok(vec![
            lease("highwater", "highwater-decider"),
            lease("highwater", "highwater-executor"),
            lease("highwater", "highwater-provisioner"),
            lease("storage", "external-resizer-loop-test"),
        ]),
        priority_class: Ok(true),
        classes: Ok(vec![Class {
            name: "fast".into(),
            provisioner: "loop.test".into(),
            expandable: true,
        }]),
        agents: Ok(vec![Pod {
            namespace: "highwater".into(),
            ..pod("highwater-agent-x", &[])
        }]),
        pods: Ok(vec![pod("shop-0", &["data-shop-0"])]),
        requests: Ok(Vec::new()),
        may_ask: Ok(true),
        databases: Ok(answer(vec![database()])),
        nodes: Ok(answer(Nodes {
            nodes: vec![Node {
                name: "node-1".into(),
                connected: true,
                ..Node::default()
            }],
        })),
    }
}

/// What is not ok when this is broken: check, state, text with remedy.
fn broken(change: impl FnOnce(&mut Facts)) -> Vec<(&'static str, State, String)> {
    let mut facts = sound();
    change(&mut facts);
    let findings = examine(&facts).into_iter().filter(|f| f.state != State::Ok);
    findings
        .map(|f| (f.check, f.state, format!("{}; {}", f.text, f.remedy)))
        .collect()
}

/// Exactly this check fails, in these words.
fn one(check: &str, state: State, words: &str, change: impl FnOnce(&mut Facts)) {
    let findings = broken(change);
    let [(found, how, text)] = &findings[..] else {
        panic!("{check}: {findings:?}");
    };
    assert_eq!((*found, *how), (check, state), "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn nothing_is_wrong_with_a_sound_installation() {
    assert_eq!(broken(|_| ()), []);
    assert_eq!(examine(&sound()).len(), checks::ALL.len());
}

#[test]
fn what_may_not_be_read_is_unknown_and_no_fault() {
    one("definitions", State::Unknown, "cannot list", |f| {
        f.definitions = Err("cannot list customresourcedefinitions: forbidden".into());
    });
    one("priority class", State::Unknown, "cannot list", |f| {
        f.priority_class = Err("cannot list it".into())
    });
}

#[test]
fn the_answer_names_the_state_of_each_check() {
    let mut facts = sound();
    facts.priority_class = Ok(false);
    let text = anstream::adapter::strip_str(&render(&examine(&facts))).to_string();
    assert!(text.starts_with("CHECK"), "{text}");
    let line = text.lines().find(|l| l.starts_with("priority class"));
    assert!(
        line.is_some_and(|l| l.contains("FAULT") && l.contains("; upgrade the chart")),
        "{text}"
    );
}
