//! Revisions.

use provisioner_core::petset::{Revision, Step, collides, revision_hash, revision_name};

use crate::model::Model;

/// By hand, after `HashControllerRevision`: FNV-1 of the data and the number in decimal, its digits as letters. That whole
/// objects have the names that Kubernetes gives them is for the test beside its own controller.
#[test]
fn hashes_are_those_of_kubernetes() {
    assert_eq!(revision_hash(b"", 0), "d8bfb7bc");
    assert_eq!(revision_hash(b"a", 0), "5ddbd9db46");
    assert_eq!(revision_hash(b"a", 1), "5ddbd9db47");
}

#[test]
fn a_long_name_is_cut_for_its_revisions() {
    assert_eq!(revision_name("web", "xyz"), "web-xyz");
    assert_eq!(
        revision_name(&"w".repeat(240), "xyz"),
        format!("{}-xyz", "w".repeat(223))
    );
}

#[test]
fn an_earlier_template_makes_its_revision_the_newest_again() {
    let mut model = Model::new(1);
    model.settle();
    let first = model.set.stored.current_revision.clone().unwrap();
    model.template("two");
    model.settle();
    assert_ne!(model.set.stored.current_revision.as_deref(), Some(first.as_str()));
    model.template("one");
    assert_eq!(
        model.next(),
        Step::RenumberRevision {
            name: first.clone(),
            to: 3
        }
    );
    model.settle();
    assert_eq!(model.set.stored.current_revision, Some(first));
    assert_eq!(model.set.revisions.len(), 2);
}

#[test]
fn only_so_many_that_nobody_uses_are_kept() {
    let mut model = Model::new(1).with(|spec| spec.history_limit = Some(2));
    for template in ["one", "two", "three", "four", "five"] {
        model.template(template);
        model.settle();
    }
    let mut numbers: Vec<i64> = model
        .set
        .revisions
        .iter()
        .map(|revision| revision.number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [3, 4, 5]);
    // No limit keeps all.
    model.set.spec.history_limit = None;
    model.template("six");
    model.settle();
    assert_eq!(model.set.revisions.len(), 4);
}

#[test]
fn orphans_are_adopted_first_and_used() {
    let mut model = Model::new(1);
    model.set.revisions.push(Revision {
        name: "web-old".to_owned(),
        number: 4,
        created: None,
        is_orphan: true,
        is_present: true,
    });
    assert_eq!(
        model.next(),
        Step::AdoptRevision {
            name: "web-old".to_owned()
        }
    );
    model.settle();
    assert_eq!(model.pod(0).revision, "web-old");
}

#[test]
fn a_name_that_is_taken_is_avoided() {
    let mut model = Model::new(1);
    let Step::CreateRevision { name, .. } = model.next() else {
        panic!("{:?}", model.next());
    };
    model.set.collisions = collides(&model.set);
    let Step::CreateRevision { name: other, .. } = model.next() else {
        panic!("{:?}", model.next());
    };
    assert_ne!(name, other);
    model.settle();
    assert_eq!(model.set.stored.collision_count, Some(1));
}
