use api::view::{Cap, Decision, Growth, Note, Usage};

use super::*;

fn plain(database: Database, leads: bool) -> String {
    let answer = Answer {
        replica: Replica {
            name: "decider-1".into(),
            leads,
            at: "2026-11-21T12:00:00Z".parse().unwrap(),
            ..Replica::default()
        },
        content: vec![database],
    };
    anstream::adapter::strip_str(&render(&answer)).to_string()
}

fn shop() -> Database {
    Database {
        namespace: "demo".into(),
        name: "shop".into(),
        autoscaler: "shop-storage".into(),
        ..Database::default()
    }
}

#[test]
fn a_growth_that_a_limit_cuts_short() {
    let cap = Cap {
        reason: "AtUpperBound".into(),
        what: "upperBound 700Mi".into(),
        limit: 700 << 20,
    };
    let database = Database {
        can_grow: true,
        decision: Decision {
            reason: "ThresholdExceeded".into(),
            text: "data-shop-0 is 82% used, threshold 80%: 512Mi -> 700Mi".into(),
            to: Some(700 << 20),
            alternatives: vec![Note {
                reason: "TimeToFull".into(),
                message: "data-shop-0 fills at 20Mi/s".into(),
            }],
            sizing: Some(Sizing {
                needed: 600 << 20,
                wanted: 768 << 20,
                caps: vec![cap.clone()],
                capped_by: Some(cap),
                text: "512Mi -> 700Mi (rule scalingThreshold: 50pc)".into(),
                ..Sizing::default()
            }),
            ..Decision::default()
        },
        volumes: vec![Volume {
            text: "data-shop-0 is 82% used".into(),
            reason: "ThresholdExceeded".into(),
            node: Some("node-1".into()),
            age: Some(0.3),
            usage: Some(Usage {
                available: 80 << 20,
                ..Usage::default()
            }),
            ..Volume::default()
        }],
        ..shop()
    };
    let expected = "\
demo/shop: ThresholdExceeded
  what       data-shop-0 is 82% used, threshold 80%: 512Mi -> 700Mi
  also       TimeToFull: data-shop-0 fills at 20Mi/s
  grows      now, to 700Mi
  volume     data-shop-0 is 82% used (ThresholdExceeded); 80Mi can still be written; measured on node-1 0.3s ago
  size       512Mi -> 700Mi (rule scalingThreshold: 50pc)
  needed     600Mi at least; the rules give 768Mi
  limit      upperBound 700Mi: at most 700Mi, which decides
  last       no growth that this autoscaler remembers
  asked      decider-1, which leads, at 2026-11-21T12:00:00Z; PostgresAutoscaler shop-storage
";
    assert_eq!(plain(database, true), expected);
}

#[test]
fn a_hold_with_its_barrier_its_remedy_and_the_last_growth() {
    let database = Database {
        barrier: Some("NotExpandable".into()),
        decision: Decision {
            reason: "NotExpandable".into(),
            text: "data-shop-0: storage class fixed".into(),
            remedy: "set allowVolumeExpansion".into(),
            ..Decision::default()
        },
        notes: vec![
            Note {
                reason: "SpecBehind".into(),
                message: "commit 768Mi".into(),
            },
            Note {
                reason: "WALRetained".into(),
                message: "slot old keeps 3Gi".into(),
            },
        ],
        last: Some(Growth {
            at: Some("2026-11-21T10:00:00Z".parse().unwrap()),
            reason: "ThresholdExceeded".into(),
            message: "512Mi -> 768Mi".into(),
            request: "pgops-shop-abcdef".into(),
            ..Growth::default()
        }),
        ..shop()
    };
    let text = plain(database, false);
    for line in [
        "demo/shop: NotExpandable",
        "  remedy     set allowVolumeExpansion",
        "  grows      could not, if it had to: NotExpandable. The claim's storage class does not allow expansion.",
        "  note       SpecBehind: commit 768Mi",
        "  note       WALRetained: slot old keeps 3Gi",
        "  last       2h ago, ThresholdExceeded (pgops-shop-abcdef): 512Mi -> 768Mi",
        "  asked      decider-1, which follows, at 2026-11-21T12:00:00Z; PostgresAutoscaler shop-storage",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
}
