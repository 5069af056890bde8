//! A sound installation, and each way to break it.

use api::view::{Answer, Database, Decision, Node, Nodes, Replica, Volume};
use jiff::Timestamp;

use super::{
    facts::{Class, Definition, Lease, Pod, Request, Workload},
    *,
};

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
fn definitions_are_there_in_the_version_that_is_read() {
    one(
        "definitions",
        State::Fault,
        "storageprofiles.highwater.dev is missing",
        |f| {
            f.definitions.as_mut().unwrap().pop();
        },
    );
    one(
        "definitions",
        State::Fault,
        "does not serve v1, only v1alpha2",
        |f| {
            f.definitions.as_mut().unwrap()[0].served = vec!["v1alpha2".into()];
        },
    );
    one("definitions", State::Fault, "is not established", |f| {
        f.definitions.as_mut().unwrap()[1].established = false;
    });
}

#[test]
fn processes_run_and_run_the_same() {
    one("processes", State::Fault, "0 of 2 pods are ready", |f| {
        f.workloads.as_mut().unwrap()[1].ready = 0
    });
    one("processes", State::Warning, "1 of 2 pods are ready", |f| {
        f.workloads.as_mut().unwrap()[2].ready = 1
    });
    one(
        "processes",
        State::Fault,
        "highwater-agent is not installed",
        |f| {
            f.workloads.as_mut().unwrap().remove(0);
        },
    );
    one("versions", State::Warning, "decider 0.2.0", |f| {
        f.workloads.as_mut().unwrap()[1].image = "registry.example.com:5000/d:0.2.0".into();
    });
    one("priority class", State::Fault, "is missing", |f| {
        f.priority_class = Ok(false)
    });
}

#[test]
fn nobody_else_does_the_same_work() {
    let beside = |app: &str| Workload {
        app: app.into(),
        ..workload("kubedb-x", 1)
    };
    one("KubeDB", State::Fault, "kubedb-autoscaler.enabled=false", |f| {
        f.workloads.as_mut().unwrap().push(beside("kubedb-autoscaler"));
    });
    one("KubeDB", State::Fault, "executor.enabled=false", |f| {
        f.workloads.as_mut().unwrap().push(beside("kubedb-ops-manager"));
    });
    one("KubeDB", State::Fault, "mode=alongside", |f| {
        f.workloads.as_mut().unwrap().push(beside("kubedb-provisioner"));
    });
    let alongside = broken(|f| {
        f.definitions
            .as_mut()
            .unwrap()
            .iter_mut()
            .for_each(|d| d.ours = false);
        f.workloads.as_mut().unwrap().push(beside("kubedb-provisioner"));
    });
    assert_eq!(alongside, [], "that is what alongside is");
}

#[test]
fn one_replica_leads_and_says_so() {
    one(
        "leaders",
        State::Fault,
        "no decider leads: highwater-decider-0 has let its Lease expire",
        |f| {
            f.leases.as_mut().unwrap()[0].renewed = Some(at(-10));
        },
    );
    one(
        "leaders",
        State::Fault,
        "no executor leads: gave its Lease back",
        |f| {
            f.leases.as_mut().unwrap()[1].holder = String::new();
        },
    );
    one(
        "leaders",
        State::Fault,
        "no provisioner leads: its Lease was never made",
        |f| {
            f.leases.as_mut().unwrap().remove(2);
        },
    );
    let not_installed = broken(|f| {
        f.workloads.as_mut().unwrap().pop();
        f.leases.as_mut().unwrap().remove(2);
    });
    assert_eq!(not_installed, []);
}

#[test]
fn the_view_may_be_asked_and_answers() {
    one("view", State::Fault, "ClusterRole highwater-view", |f| {
        f.may_ask = Ok(false)
    });
    let away = broken(|f| f.databases = Err("no decider answers: no endpoints".into()));
    assert!(
        away.iter()
            .any(|(check, state, _)| (*check, *state) == ("view", State::Fault)),
        "{away:?}"
    );
    assert!(
        away.iter()
            .all(|(check, state, _)| *check == "view" || *state == State::Unknown),
        "what is not known is not wrong: {away:?}"
    );
}

#[test]
fn clocks_agree() {
    one(
        "clocks",
        State::Warning,
        "this machine's clock is 60 s off",
        |f| f.here = at(60),
    );
    one("clocks", State::Fault, "highwater-decider-0 is -9 s off", |f| {
        f.nodes.as_mut().unwrap().replica.at = at(-9)
    });
    one("clocks", State::Fault, "node-1", |f| {
        let volume = &mut f.databases.as_mut().unwrap().content[0].volumes[0];
        (volume.reason, volume.text) = ("ClockSkew".into(), "the clock of node-1 is off".into());
    });
}

#[test]
fn an_agent_reports_from_every_node_with_a_database() {
    one(
        "agents",
        State::Fault,
        "node node-1, which runs demo/shop-0, has no agent",
        |f| f.agents = Ok(Vec::new()),
    );
    one("agents", State::Fault, "is not ready", |f| {
        f.agents.as_mut().unwrap()[0].ready = false
    });
    one("agents", State::Fault, "does not report", |f| {
        f.nodes.as_mut().unwrap().content.nodes.clear()
    });
    let others = broken(|f| {
        f.pods = Ok(vec![pod("web-0", &["cache"])]);
        f.agents = Ok(Vec::new());
    });
    assert_eq!(others, [], "a node without databases needs none");
}

#[test]
fn volumes_can_be_made_larger() {
    one(
        "storage classes",
        State::Fault,
        "fast does not allow expansion",
        |f| {
            f.classes.as_mut().unwrap()[0].expandable = false;
        },
    );
    one(
        "storage classes",
        State::Fault,
        "fast, which claims of databases name, does not exist",
        |f| {
            f.classes = Ok(Vec::new());
        },
    );
    one("resizers", State::Warning, "external-resizer-loop-test", |f| {
        f.leases.as_mut().unwrap().pop();
    });
    one(
        "resizers",
        State::Warning,
        "no csi-resizer of loop.test is seen: x has let its Lease external-resizer-loop-test expire",
        |f| {
            let lease = f.leases.as_mut().unwrap().last_mut().unwrap();
            (lease.holder, lease.renewed) = ("x".into(), Some(at(-60)));
        },
    );
}

#[test]
fn every_database_can_grow_and_none_is_stuck() {
    one(
        "autoscalers",
        State::Fault,
        "demo/shop cannot grow: QuotaExceeded: quota q; raise",
        |f| {
            let database = &mut f.databases.as_mut().unwrap().content[0];
            (database.can_grow, database.barrier) = (false, Some("QuotaExceeded".into()));
            database.decision = Decision {
                reason: "QuotaExceeded".into(),
                text: "quota q".into(),
                ..Decision::default()
            };
        },
    );
    one("autoscalers", State::Warning, "Shadow", |f| {
        let database = &mut f.databases.as_mut().unwrap().content[0];
        (database.can_grow, database.barrier) = (false, Some("Shadow".into()));
    });
    let request = |age: i64| {
        vec![Request {
            name: "demo/pgops-shop-abcdef".into(),
            created: at(-age),
            says: "NobodyResizes: no answer".into(),
        }]
    };
    one(
        "requests",
        State::Fault,
        "not done after 20m: NobodyResizes",
        |f| f.requests = Ok(request(1_200)),
    );
    assert_eq!(broken(|f| f.requests = Ok(request(60))), []);
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
