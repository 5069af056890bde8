use std::collections::BTreeMap;

use arcstr::ArcStr;

use super::{Database, Join, Set};
use crate::names::{LABEL_READ_REPLICA, LABEL_ROLE, database_labels};

fn labelled(name: &str, labels: &BTreeMap<String, String>) -> Set {
    Set::labelled("demo", name, labels, |word| word.into())
}

fn database(name: &str, uid: &str) -> Database {
    Database {
        namespace: "demo".into(),
        name: name.into(),
        uid: uid.into(),
    }
}

fn set(name: &str) -> Set {
    Set {
        namespace: "demo".into(),
        name: name.into(),
        ..Set::default()
    }
}

fn owned(name: &str, uid: &str) -> Set {
    Set {
        owners: [uid.into()].into(),
        ..set(name)
    }
}

/// Database and ordinal of a claim.
fn of(join: &Join, claim: &str) -> Option<(ArcStr, u32)> {
    join.of_claim("demo", claim)
        .map(|member| (member.database.name.clone(), member.ordinal))
}

#[test]
fn by_name() {
    let join = Join::new([database("db", "1")], [set("db")]);
    assert_eq!(of(&join, "data-db-0"), Some(("db".into(), 0)));
    assert_eq!(of(&join, "data-db-12"), Some(("db".into(), 12)));
    for claim in ["data-other-0", "logs-db-0", "data-db", "data-db-x"] {
        assert_eq!(of(&join, claim), None, "{claim}");
    }
    assert_eq!(join.of_claim("elsewhere", "data-db-0"), None);
}

#[test]
fn by_name_also_while_the_set_does_not_exist() {
    let join = Join::new([database("db", "1")], []);
    assert_eq!(of(&join, "data-db-0"), Some(("db".into(), 0)));
}

#[test]
fn by_labels_only() {
    let renamed = labelled("renamed", &database_labels("db"));
    let join = Join::new([database("db", "1")], [renamed]);
    assert_eq!(of(&join, "data-renamed-0"), Some(("db".into(), 0)));
    let foreign = BTreeMap::from([("app.kubernetes.io/instance".to_owned(), "db".to_owned())]);
    let join = Join::new([database("db", "1")], [labelled("mysql", &foreign)]);
    assert_eq!(
        of(&join, "data-mysql-0"),
        None,
        "the same instance of another application"
    );
}

#[test]
fn two_sets_of_one_database() {
    let join = Join::new([database("db", "1")], [owned("db", "1"), owned("db-b", "1")]);
    assert_eq!(join.sets_of("demo", "db"), ["db", "db-b"]);
    assert_eq!(of(&join, "data-db-0"), Some(("db".into(), 0)));
    assert_eq!(of(&join, "data-db-b-0"), Some(("db".into(), 0)));
}

#[test]
fn names_that_contain_each_other() {
    let join = Join::new(
        [database("db", "1"), database("db-1", "2")],
        [owned("db", "1"), owned("db-1", "2")],
    );
    assert_eq!(of(&join, "data-db-1"), Some(("db".into(), 1)));
    assert_eq!(of(&join, "data-db-1-0"), Some(("db-1".into(), 0)));
}

#[test]
fn the_owner_goes_before_labels_and_name() {
    let set = Set {
        instance: Some("b".into()),
        ..owned("c", "1")
    };
    let join = Join::new(
        [database("a", "1"), database("b", "2"), database("c", "3")],
        [set],
    );
    assert_eq!(of(&join, "data-c-0"), Some(("a".into(), 0)));
}

#[test]
fn a_recreated_database_does_not_take_over_the_set_of_its_predecessor() {
    let join = Join::new([database("db", "new")], [owned("db", "old")]);
    assert_eq!(of(&join, "data-db-0"), None);
}

#[test]
fn a_rename_moves_the_claims() {
    let before = Join::new([database("db", "1")], [owned("old", "1")]);
    let after = Join::new([database("db", "1")], [owned("new", "1")]);
    assert_eq!(
        (
            of(&before, "data-old-0").is_some(),
            of(&before, "data-new-0").is_some()
        ),
        (true, false)
    );
    assert_eq!(
        (
            of(&after, "data-old-0").is_some(),
            of(&after, "data-new-0").is_some()
        ),
        (false, true)
    );
}

#[test]
fn a_deleted_database_has_no_claims() {
    assert_eq!(
        of(&Join::new([], [set("db"), owned("db-b", "1")]), "data-db-0"),
        None
    );
}

#[test]
fn arbiter_and_read_replicas_are_left_out() {
    let label = |key: &str, value: &str, name: &str| {
        let labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let owners = ["1".into()].into();
        Set {
            owners,
            ..labelled(name, &labels)
        }
    };
    let sets = [
        owned("db", "1"),
        owned("db-arbiter", "1"),
        label(LABEL_READ_REPLICA, "east", "db-east"),
        label(LABEL_ROLE, "read-replica", "db-west"),
    ];
    let join = Join::new([database("db", "1")], sets);
    assert_eq!(join.sets_of("demo", "db"), ["db"]);
    assert_eq!(of(&join, "data-db-arbiter-0"), None);
    assert_eq!(of(&join, "data-db-east-0"), None);
}

#[test]
fn a_database_may_be_called_arbiter() {
    let join = Join::new([database("x-arbiter", "1")], [owned("x-arbiter", "1")]);
    assert_eq!(of(&join, "data-x-arbiter-0"), Some(("x-arbiter".into(), 0)));
}

#[test]
fn a_petset_is_read_with_its_selector_and_owner() {
    let petset = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "renamed", "namespace": "demo", "labels": {"app.kubernetes.io/instance": "db"}, "ownerReferences": [
            {"apiVersion": "kubedb.com/v1", "kind": "Postgres", "name": "db", "uid": "1"},
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "2"}]},
        "spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "postgreses.kubedb.com"}}}
    }))
    .unwrap();
    let set = Set::of(&petset, |word| word.into()).unwrap();
    assert_eq!(*set.owners, ["1"]);
    assert_eq!(set.instance.as_deref(), Some("db"));
}
