//! Nodes, storage and databases.

use super::*;

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
