//! The question that is asked after every scenario must be able to be answered with no.

use units::Bytes;

use e2e::Sizes;

fn agreeing() -> Sizes {
    let two = Bytes::new(2 << 30);
    Sizes {
        requested: two,
        granted: two,
        volume: two,
        filesystem: Bytes::new(1983 << 20),
        template: two,
        spec: two,
        resizing: false,
    }
}

#[test]
fn agreeing_sizes_agree() {
    assert_eq!(agreeing().disagreements(), Vec::<String>::new());
}

#[test]
fn a_driver_may_round_up() {
    let rounded = Sizes {
        volume: Bytes::new((2 << 30) + (1 << 20)),
        ..agreeing()
    };
    assert_eq!(rounded.disagreements(), Vec::<String>::new());
}

#[test]
fn each_place_can_disagree() {
    let one = Bytes::new(1 << 30);
    let three = Bytes::new(3 << 30);
    let cases: [(&str, Sizes); 8] = [
        (
            "was granted 1Gi",
            Sizes {
                granted: one,
                ..agreeing()
            },
        ),
        (
            "its volume has 1Gi",
            Sizes {
                volume: one,
                ..agreeing()
            },
        ),
        (
            "its filesystem 1Gi",
            Sizes {
                filesystem: one,
                ..agreeing()
            },
        ),
        (
            "the filesystem has 3Gi",
            Sizes {
                filesystem: three,
                ..agreeing()
            },
        ),
        (
            "template for 1Gi",
            Sizes {
                template: one,
                ..agreeing()
            },
        ),
        (
            "the Postgres for 1Gi",
            Sizes {
                spec: one,
                ..agreeing()
            },
        ),
        (
            "the claim asks for 3Gi",
            Sizes {
                requested: three,
                ..agreeing()
            },
        ),
        (
            "under way",
            Sizes {
                resizing: true,
                ..agreeing()
            },
        ),
    ];
    for (said, sizes) in cases {
        let found = sizes.disagreements();
        assert!(found.iter().any(|text| text.contains(said)), "{said}: {found:?}");
    }
}
