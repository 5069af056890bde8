use control::watch::Store;

use super::*;
use crate::objects::Claim;

/// Objects without watches, and an index that has taken in every change of them.
#[derive(Default)]
struct Bench {
    objects: Objects,
    index: Index,
}

fn of(name: &str, uid: &str) -> Postgres {
    let database = api::join::Database {
        namespace: "demo".into(),
        name: name.into(),
        uid: uid.into(),
    };
    Postgres {
        database,
        deleting: false,
        size: None,
        wal_retained: None,
    }
}

impl Bench {
    /// Takes in what a store tells, in the way a follower does.
    fn take<T: PartialEq>(
        &mut self,
        store: fn(&Objects) -> &Store<T>,
        change: impl FnOnce(&Store<T>),
        into: impl Fn(&mut Index, &Change<T>, &Objects) -> Vec<Key>,
    ) -> Vec<Key> {
        let mut changes = store(&self.objects).subscribe();
        while changes.try_next().is_some() {}
        change(store(&self.objects));
        let change = changes.try_next().expect("something changed");
        into(&mut self.index, &change, &self.objects)
    }

    fn postgres(&mut self, name: &str, uid: &str) -> Vec<Key> {
        let postgres = of(name, uid);
        self.take(|o| &o.postgreses, |s| s.put(key(name), postgres), Index::postgres)
    }

    fn retains_wal(&mut self, name: &str, text: &str) -> Vec<Key> {
        let postgres = self.objects.postgreses.get(&key(name)).unwrap();
        let wal_retained = Some(text.to_owned());
        let retaining = Postgres {
            wal_retained,
            ..(*postgres).clone()
        };
        self.take(
            |o| &o.postgreses,
            |s| s.put(key(name), retaining),
            Index::postgres,
        )
    }

    fn set(&mut self, name: &str, owner: &str) {
        let set = Set {
            namespace: "demo".into(),
            name: name.into(),
            owners: [owner.into()].into(),
            ..Set::default()
        };
        self.take(|o| &o.sets, |s| s.put(key(name), set), Index::set);
    }

    fn claim(&mut self, name: &str) {
        let claim = Claim {
            uid: name.into(),
            ..Claim::default()
        };
        self.take(|o| &o.claims, |s| s.put(key(name), claim), Index::claim);
    }

    fn autoscaler(&mut self, name: &str, database: &str) -> Vec<Key> {
        let autoscaler = Autoscaler {
            database: database.into(),
            ..Autoscaler::default()
        };
        self.take(
            |o| &o.autoscalers,
            |s| s.put(key(name), autoscaler),
            |i, c, _| i.autoscaler(c),
        )
    }

    fn claims(&mut self, database: &str) -> Vec<String> {
        let claims = self.index.claims(&key(database), &self.objects);
        claims.iter().map(|claim| claim.name.to_string()).collect()
    }
}

fn key(name: &str) -> Key {
    Key::new("demo", name)
}

#[test]
fn claims_come_by_ordinal_and_only_those_of_data() {
    let mut bench = Bench::default();
    bench.postgres("pg", "1");
    for claim in ["data-pg-10", "data-pg-2", "data-pg-0", "wal-pg-0", "data-other-0"] {
        bench.claim(claim);
    }
    assert_eq!(bench.claims("pg"), ["data-pg-0", "data-pg-2", "data-pg-10"]);
    assert_eq!(
        bench.index.database_of(&key("data-pg-2"), &bench.objects),
        Some(key("pg"))
    );
    assert_eq!(
        bench.index.database_of(&key("data-other-0"), &bench.objects),
        None
    );
    bench.take(|o| &o.claims, |s| s.remove(&key("data-pg-2")), Index::claim);
    assert_eq!(bench.claims("pg"), ["data-pg-0", "data-pg-10"]);
}

#[test]
fn a_set_of_another_name_moves_the_claims_and_its_deletion_takes_them_away() {
    let mut bench = Bench::default();
    bench.postgres("pg", "1");
    bench.set("pg-blue", "1");
    bench.claim("data-pg-blue-0");
    assert_eq!(bench.claims("pg"), ["data-pg-blue-0"]);
    bench.take(|o| &o.sets, |s| s.remove(&key("pg-blue")), Index::set);
    assert!(bench.claims("pg").is_empty());
}

#[test]
fn a_deleted_database_has_no_claims() {
    let mut bench = Bench::default();
    bench.postgres("pg", "1");
    bench.claim("data-pg-0");
    assert_eq!(bench.claims("pg").len(), 1);
    bench.take(|o| &o.postgreses, |s| s.remove(&key("pg")), Index::postgres);
    assert!(bench.claims("pg").is_empty());
}

#[test]
fn an_autoscaler_that_changes_its_database_concerns_both() {
    let mut bench = Bench::default();
    assert_eq!(bench.autoscaler("a", "one"), [key("one")]);
    assert_eq!(bench.autoscaler("b", "one"), [key("one")]);
    assert_eq!(bench.index.autoscalers(&key("one")), [key("a"), key("b")]);
    assert_eq!(bench.autoscaler("a", "two"), [key("one"), key("two")]);
    assert_eq!(bench.index.autoscalers(&key("one")), [key("b")]);
    assert_eq!(bench.index.of_namespace(&"demo".into(), &bench.objects).len(), 2);
    bench.take(
        |o| &o.autoscalers,
        |s| s.remove(&key("a")),
        |i, c, _| i.autoscaler(c),
    );
    assert!(bench.index.autoscalers(&key("two")).is_empty());
}

/// The claim's own pod may be there or not.
#[test]
fn a_claim_has_its_own_pod_and_the_others_that_use_it() {
    let mut bench = Bench::default();
    bench.postgres("pg", "1");
    let pod = || PodClaims {
        claims: ["data-pg-0".into(), "scratch".into()].into(),
        ..PodClaims::default()
    };
    let told = bench.take(|o| &o.pods, |s| s.put(key("pg-0"), pod()), Index::pod);
    assert_eq!(told, [key("pg")]);
    assert!(bench.index.pods.of(&key("data-pg-0")).is_empty(), "by its name");
    bench.take(|o| &o.pods, |s| s.put(key("backup"), pod()), Index::pod);
    let pods = |bench: &Bench, claim: &str| bench.index.pods(&key(claim));
    assert_eq!(pods(&bench, "data-pg-0"), [key("pg-0"), key("backup")]);
    assert_eq!(pods(&bench, "scratch"), [key("backup"), key("pg-0")]);
    bench.take(|o| &o.pods, |s| s.remove(&key("pg-0")), Index::pod);
    assert_eq!(pods(&bench, "scratch"), [key("backup")]);
    bench.take(|o| &o.pods, |s| s.remove(&key("backup")), Index::pod);
    assert_eq!(pods(&bench, "data-pg-0"), [key("pg-0")]);
    assert!(pods(&bench, "scratch").is_empty());
    assert!(bench.index.pods.0.is_empty());
}

/// With many databases joining takes a while.
#[test]
fn what_does_not_change_who_a_database_is_joins_nothing_anew() {
    let mut bench = Bench::default();
    bench.autoscaler("as", "other");
    assert_eq!(bench.postgres("pg", "1"), [key("other"), key("pg")]);
    assert!(bench.index.join_is_old);
    bench.claim("data-pg-0");
    assert!(!bench.index.join_is_old);
    assert_eq!(bench.retains_wal("pg", "slot a"), [key("pg")]);
    assert!(!bench.index.join_is_old);
    assert_eq!(bench.postgres("pg", "2"), [key("other"), key("pg")]);
    assert!(bench.index.join_is_old);
}

/// Changes that nobody has taken yet merge: what is told may be as it was, and have been joined while it was not there.
#[test]
fn a_database_that_was_joined_while_it_was_away_is_joined_anew() {
    let mut bench = Bench::default();
    bench.postgres("pg", "1");
    let mut changes = bench.objects.postgreses.subscribe();
    while changes.try_next().is_some() {}
    bench.objects.postgreses.put_malformed(key("pg"), "no object");
    let database = |bench: &mut Bench| bench.index.database_of(&key("data-pg-0"), &bench.objects);
    assert_eq!(database(&mut bench), None);
    bench.objects.postgreses.put(key("pg"), of("pg", "1"));
    let change = changes.try_next().unwrap();
    assert_eq!(change.old, change.new);
    bench.index.postgres(&change, &bench.objects);
    assert_eq!(database(&mut bench), Some(key("pg")));
}
