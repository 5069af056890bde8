use proptest::prelude::*;
use provisioner_core::postgres::phase;

/// Conditions, and the phase.
type Row = (&'static [(&'static str, bool)], Option<&'static str>);

#[test]
fn the_first_match_wins_as_in_kubedb() {
    let table: &[Row] = &[
        (&[], None),
        (&[("ProvisioningStarted", true)], Some("Provisioning")),
        (
            &[
                ("ProvisioningStarted", true),
                ("AcceptingConnection", false),
                ("ReplicaReady", false),
            ],
            Some("Provisioning"),
        ),
        (
            &[
                ("Provisioned", true),
                ("AcceptingConnection", true),
                ("ReplicaReady", true),
                ("Ready", true),
            ],
            Some("Ready"),
        ),
        (
            &[
                ("Provisioned", true),
                ("AcceptingConnection", false),
                ("ReplicaReady", true),
                ("Ready", false),
            ],
            Some("NotReady"),
        ),
        (
            &[
                ("Provisioned", true),
                ("AcceptingConnection", true),
                ("ReplicaReady", false),
                ("Ready", false),
            ],
            Some("Critical"),
        ),
        (
            &[
                ("Provisioned", true),
                ("AcceptingConnection", true),
                ("ReplicaReady", true),
                ("Ready", false),
            ],
            Some("Critical"),
        ),
        (
            &[("Provisioned", true), ("Ready", true), ("Halted", true)],
            Some("Halted"),
        ),
        (
            &[("Provisioned", true), ("Ready", true), ("Halted", false)],
            Some("Ready"),
        ),
        (&[("DataRestoreStarted", true)], Some("DataRestoring")),
        (
            &[("DataRestoreStarted", true), ("DataRestored", false)],
            Some("NotReady"),
        ),
        (&[("Halted", true), ("HealthCheckPaused", true)], Some("Unknown")),
        (
            &[("Provisioned", true), ("ProvisioningStarted", true)],
            Some("Provisioning"),
        ),
    ];
    for (conditions, expected) in table {
        let found = phase(|kind| {
            conditions
                .iter()
                .find(|(name, _)| *name == kind)
                .map(|(_, status)| *status)
        });
        assert_eq!(found.map(|phase| phase.as_str()), *expected, "{conditions:?}");
    }
}

proptest! {
    /// A pause changes no phase, whatever else is so.
    #[test]
    fn a_pause_changes_nothing(states in proptest::collection::vec(proptest::option::of(any::<bool>()), 8)) {
        let names = ["Halted", "DataRestored", "Provisioned", "AcceptingConnection", "ReplicaReady", "Ready",
            "ProvisioningStarted", "HealthCheckPaused"];
        let of = |kind: &str| names.iter().position(|name| *name == kind).and_then(|place| states[place]);
        let paused = |kind: &str| if kind == "Paused" { Some(true) } else { of(kind) };
        prop_assert_eq!(phase(of), phase(paused));
    }
}
