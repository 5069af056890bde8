//! What is installed.

use super::*;

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
