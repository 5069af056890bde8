//! The store of a watch and what its subscribers are told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use control::watch::{Change, Changes, Key, Store};

fn key(name: &str) -> Key {
    Key::new("demo", name)
}

fn change(name: &str, old: Option<u32>, new: Option<u32>) -> Change<u32> {
    Change {
        key: key(name),
        old: old.map(Arc::new),
        new: new.map(Arc::new),
    }
}

/// All changes that are there.
fn drain(changes: &mut Changes<u32>) -> Vec<Change<u32>> {
    std::iter::from_fn(|| changes.try_next()).collect()
}

#[test]
fn a_subscriber_begins_with_everything_and_then_hears_of_changes() {
    let store = Store::new();
    store.put(key("a"), 1);
    store.put(key("b"), 2);
    let mut changes = store.subscribe();
    assert_eq!(
        drain(&mut changes),
        [change("a", None, Some(1)), change("b", None, Some(2))]
    );
    store.put(key("a"), 3);
    store.remove(&key("b"));
    assert_eq!(
        drain(&mut changes),
        [change("a", Some(1), Some(3)), change("b", Some(2), None)]
    );
    assert_eq!(drain(&mut changes), []);
}

#[test]
fn changes_that_were_not_taken_merge_and_none_is_lost() {
    let store = Store::new();
    store.put(key("a"), 0);
    let mut changes = store.subscribe();
    drain(&mut changes);
    for n in 1..=1000 {
        store.put(key("a"), n);
    }
    store.put(key("b"), 1);
    store.remove(&key("b"));
    // What came and went is told too: somebody may have looked in between.
    assert_eq!(
        drain(&mut changes),
        [change("a", Some(0), Some(1000)), change("b", None, None)]
    );
}

#[test]
fn an_equal_projection_is_no_change() {
    let store = Store::new();
    store.put(key("a"), 1);
    let mut changes = store.subscribe();
    drain(&mut changes);
    store.put(key("a"), 1);
    store.remove(&key("absent"));
    assert_eq!(drain(&mut changes), []);
}

#[test]
fn a_list_removes_what_it_does_not_name() {
    let store = Store::new();
    for (name, n) in [("a", 1), ("b", 2)] {
        store.put(key(name), n);
    }
    store.put_malformed(key("c"), "no");
    let mut changes = store.subscribe();
    drain(&mut changes);
    store.keep(|k| *k == key("a"));
    assert_eq!(drain(&mut changes), [change("b", Some(2), None)]);
    assert_eq!((store.len(), store.malformed_len()), (1, 0));
}

#[test]
fn a_malformed_object_is_known_by_its_error_until_it_is_mended() {
    let store = Store::new();
    store.put(key("a"), 1);
    let mut changes = store.subscribe();
    drain(&mut changes);
    store.put_malformed(key("a"), "spec.size: not a number");
    assert_eq!(drain(&mut changes), [change("a", Some(1), None)]);
    assert_eq!(store.malformed(&key("a")).unwrap(), "spec.size: not a number");
    store.put(key("a"), 1);
    assert_eq!(drain(&mut changes), [change("a", None, Some(1))]);
    assert_eq!(store.malformed(&key("a")), None);
}

#[tokio::test]
async fn waiting_subscribers_are_woken_each_for_itself() {
    let store = Store::new();
    let (mut one, mut other) = (store.subscribe(), store.subscribe());
    let writer = store.clone();
    let (a, b, ()) = tokio::join!(one.next(), other.next(), async move {
        tokio::task::yield_now().await;
        writer.put(key("a"), 1);
    });
    assert_eq!((a, b), (change("a", None, Some(1)), change("a", None, Some(1))));
    drop(one);
    store.put(key("a"), 2);
    assert_eq!(other.next().await, change("a", Some(1), Some(2)));
}

#[tokio::test]
async fn synced_waits_for_the_first_list() {
    let store: Store<u32> = Store::new();
    assert!(!store.is_synced());
    let filler = store.clone();
    tokio::join!(store.synced(), async move {
        tokio::task::yield_now().await;
        filler.set_synced();
    });
    assert!(store.is_synced());
}
