//! Claims and their owners.

use provisioner_core::petset::{Bond, Owner, Pod, Retention, Step};

use crate::model::Model;

fn keep(delete_with_set: bool, delete_when_scaled: bool) -> Model {
    Model::new(2).with(|spec| {
        spec.retention = Retention {
            delete_with_set,
            delete_when_scaled,
        };
    })
}

/// Kinds of the owners of the two claims, once all pods are there, and then while the second is scaled away.
fn owners(mut model: Model) -> [Vec<String>; 4] {
    model.settle();
    let kinds = |model: &Model, at: usize| -> Vec<String> {
        model.set.claims[at]
            .owners
            .iter()
            .map(|owner| owner.kind.clone())
            .collect()
    };
    let before = [kinds(&model, 0), kinds(&model, 1)];
    model.scale(1);
    model.run();
    let [first, second] = before;
    [first, second, kinds(&model, 0), kinds(&model, 1)]
}

#[test]
fn owners_follow_the_retention_policy() {
    let none = || Vec::<String>::new();
    let set = || vec!["PetSet".to_owned()];
    let pod = || vec!["Pod".to_owned()];
    assert_eq!(owners(keep(false, false)), [none(), none(), none(), none()]);
    assert_eq!(owners(keep(true, false)), [set(), set(), set(), set()]);
    assert_eq!(owners(keep(false, true)), [none(), none(), none(), pod()]);
    assert_eq!(owners(keep(true, true)), [set(), set(), set(), pod()]);
}

#[test]
fn a_policy_that_changes_changes_the_owners() {
    let mut model = keep(true, true);
    model.settle();
    model.set.spec.retention = Retention::default();
    model.settle();
    assert!(model.set.claims.iter().all(|claim| claim.owners.is_empty()));
}

fn owner(kind: &str, name: &str, uid: &str) -> Owner {
    let version = if kind == "Pod" {
        "v1"
    } else {
        "apps.k8s.appscode.com/v1"
    };
    Owner {
        api_version: version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        is_controller: true,
    }
}

#[test]
fn claims_of_others_are_left_to_them() {
    let mut model = keep(true, false);
    model.settle();
    for foreign in [
        owner("Backup", "b", "b-1"),
        owner("PetSet", "web", "an-earlier-one"),
    ] {
        model.set.claims[0].owners = vec![foreign.clone()];
        model.settle();
        assert_eq!(model.set.claims[0].owners, [foreign]);
    }
    let both = vec![owner("Backup", "b", "b-1"), owner("PetSet", "web", "set")];
    model.set.claims[0].owners = both;
    model.settle();
    assert_eq!(
        model.set.claims[0].owners,
        [owner("Backup", "b", "b-1")],
        "not two controllers"
    );
}

#[test]
fn a_claim_that_goes_with_an_earlier_pod_is_waited_for() {
    let mut model = keep(false, true);
    model.settle();
    model.scale(1);
    model.settle();
    model.scale(2);
    model.take_log();
    model.settle();
    assert!(model.log.is_empty(), "its claim is about to be deleted");
    assert_eq!(
        model
            .set
            .stored
            .notes
            .created
            .clone()
            .expect("a condition")
            .reason,
        "ClaimTerminating"
    );
    model.set.claims.pop();
    model.settle();
    assert_eq!(model.take_log(), ["+1"]);
}

#[test]
fn a_claim_that_is_missing_while_its_pod_waits_is_made() {
    let mut model = Model::new(1);
    model.run();
    model.set.claims.clear();
    assert!(matches!(model.next(), Step::CreateClaim { claim, .. } if claim == "data-web-0"));
}

#[test]
fn a_new_template_concerns_new_pods_only() {
    let mut model = Model::new(1);
    model.settle();
    model.set.spec.templates.push("logs".to_owned());
    model.scale(2);
    model.settle();
    let names: Vec<_> = model.set.claims.iter().map(|claim| claim.name.as_str()).collect();
    assert_eq!(names, ["data-web-0", "data-web-1", "logs-web-1"]);
}

#[test]
fn pods_are_adopted_let_go_and_labelled() {
    let mut model = Model::new(1);
    model.run();
    let stray = |name: &str, bond| Pod {
        name: name.to_owned(),
        ordinal: 7,
        bond,
        ..Pod::default()
    };
    model.set.pods.push(stray("web-7", Bond::Stray));
    assert_eq!(
        model.next(),
        Step::ReleasePod {
            pod: "web-7".to_owned()
        }
    );
    model.run();
    model.set.pods.push(stray("web-7", Bond::Orphan));
    assert_eq!(
        model.next(),
        Step::AdoptPod {
            pod: "web-7".to_owned()
        }
    );
    model.set.pods.pop();
    model.pod(0).has_identity = false;
    assert_eq!(
        model.next(),
        Step::IdentifyPod {
            pod: "web-0".to_owned(),
            ordinal: 0
        }
    );
}
