use api::view::{Budget, Decision, Growth, Request, Thresholds, Usage, Volume};

use super::*;

const GIB: u64 = 1 << 30;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn database(name: &str, percent: Option<u8>) -> Database {
    let usage = percent.map(|percent| Usage {
        capacity: 100 * GIB,
        available: u64::from(100 - percent) * GIB,
        used: u64::from(percent) * GIB,
        percent,
    });
    Database {
        namespace: "demo".into(),
        name: name.into(),
        can_grow: true,
        decision: Decision {
            reason: "BelowThreshold".into(),
            ..Decision::default()
        },
        thresholds: Some(Thresholds {
            usage: 80,
            ..Thresholds::default()
        }),
        volumes: vec![Volume {
            usage,
            ..Volume::default()
        }],
        ..Database::default()
    }
}

fn plain(databases: &[Database]) -> String {
    anstream::adapter::strip_str(&render(databases, at(0))).to_string()
}

/// The columns are what the page in docs/ shows.
#[test]
fn each_column_says_what_is_known() {
    let shop = Database {
        last: Some(Growth {
            at: Some(at(-200)),
            from: Some(64 * GIB),
            to: Some(100 * GIB),
            ..Growth::default()
        }),
        ..database("shop", Some(52))
    };
    let blind = Database {
        can_grow: false,
        barrier: Some("NotMeasured".into()),
        ..database("blind", None)
    };
    let expected = "\
NAMESPACE   DATABASE   USED      OF   RATE   FULL IN   CAN GROW          LAST GROWTH                NEXT   REASON
demo        shop        52%   100Gi      -         -   yes               64Gi -> 100Gi, 3m20s ago   -      BelowThreshold
demo        blind         -       -      -         -   no: NotMeasured   -                          -      BelowThreshold
";
    assert_eq!(plain(&[shop, blind]), expected);
}

#[test]
fn a_known_rate_is_shown_and_zero_never_fills() {
    let fills = Database {
        rate: Some(10 << 20),
        full_in: Some(4_000),
        ..database("fills", Some(60))
    };
    let rests = Database {
        rate: Some(0),
        ..database("rests", Some(60))
    };
    let text = plain(&[fills, rests]);
    assert!(text.contains("10Mi/s") && text.contains("1h6m"), "{text}");
    assert!(text.contains("never"), "{text}");
}

#[test]
fn what_is_next_is_the_request_or_the_growth_or_the_provider() {
    let mut shop = database("shop", Some(90));
    assert_eq!(next(&shop), "");
    shop.budget = Some(Budget {
        next: Some(at(0)),
        ..Budget::default()
    });
    assert_eq!(next(&shop), "not before 2027-01-15T08:00:00Z");
    shop.decision.to = Some(150 * GIB);
    assert_eq!(next(&shop), "grows to 150Gi");
    shop.request = Some(Request {
        name: "pgops-shop-abcdef".into(),
        phase: Some("Progressing".into()),
        to: Some(150 * GIB),
        ..Request::default()
    });
    assert_eq!(next(&shop), "pgops-shop-abcdef to 150Gi, Progressing");
}

#[test]
fn what_cannot_go_on_stands_out() {
    let red = |databases: &[Database]| render(databases, at(0)).contains("\u{1b}[31m");
    assert!(!red(&[database("shop", Some(52))]));
    assert!(red(&[database("shop", Some(96))]));
    let full_soon = Database {
        full_in: Some(600),
        can_grow: false,
        barrier: Some("QuotaExceeded".into()),
        ..database("shop", Some(52))
    };
    assert!(red(&[full_soon]));
}
