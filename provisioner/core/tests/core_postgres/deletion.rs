use std::collections::BTreeMap;

use proptest::prelude::*;
use provisioner_core::postgres::{
    Claim, Deletion, Object, Observed, Pod, Policy, Standing, Step, deletion::waits, plan,
};

const POLICIES: [Policy; 4] = [
    Policy::Halt,
    Policy::Delete,
    Policy::WipeOut,
    Policy::DoNotTerminate,
];

fn whole(policy: Policy, orphan: bool, members: usize) -> Observed {
    let objects: BTreeMap<_, _> = Object::MADE
        .into_iter()
        .chain(Object::STORE)
        .map(|object| (object, Standing::Same))
        .collect();
    let name = |prefix: &str, ordinal| format!("{prefix}db-{ordinal}");
    Observed {
        deletion: Some(Deletion { policy, orphan }),
        finalizer: true,
        objects,
        pods: (0..members)
            .map(|ordinal| Pod {
                name: name("", ordinal),
                says_primary: false,
            })
            .collect(),
        claims: (0..members)
            .map(|ordinal| Claim {
                name: name("data-", ordinal),
                ending: false,
            })
            .collect(),
        ..Observed::default()
    }
}

/// Does what a step says; pods end when the set is gone.
fn happen(seen: &mut Observed, step: &Step) {
    match step {
        Step::Remove(object) => drop(seen.objects.insert(*object, Standing::Unneeded)),
        Step::RemoveClaim(name) => {
            for claim in seen.claims.iter_mut().filter(|claim| claim.name == *name) {
                claim.ending = true;
            }
        }
        Step::Release => seen.finalizer = false,
        _ => {}
    }
}

/// All steps to the end.
fn run(mut seen: Observed) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..100 {
        let step = plan(&seen);
        if step == Step::Nothing {
            let set_gone = seen.standing(Object::Set) == Standing::Unneeded;
            if !set_gone || seen.pods.is_empty() {
                return steps;
            }
            seen.pods.pop();
            continue;
        }
        happen(&mut seen, &step);
        steps.push(step);
    }
    panic!("no end: {steps:?}");
}

#[test]
fn each_policy_removes_what_it_says_in_its_order() {
    let claims = ["data-db-0", "data-db-1"].map(|name| Step::RemoveClaim(name.to_owned()));
    let stores = Object::STORE.map(Step::Remove);
    let secrets = [Step::Remove(Object::Auth), Step::Remove(Object::Credentials)];
    let set = [Step::Remove(Object::Set)];
    let release = [Step::Release];
    for (policy, expected) in [
        (Policy::Halt, [&set[..], &release].concat()),
        (Policy::Delete, [&set[..], &claims, &stores, &release].concat()),
        (
            Policy::WipeOut,
            [&set[..], &claims, &stores, &secrets, &release].concat(),
        ),
        (Policy::DoNotTerminate, vec![]),
    ] {
        assert_eq!(run(whole(policy, false, 2)), expected, "{policy:?}");
        assert_eq!(run(whole(policy, true, 2)), [Step::Release], "{policy:?}");
    }
}

#[test]
fn what_is_not_ours_is_never_removed() {
    let mut seen = whole(Policy::WipeOut, false, 0);
    for standing in seen.objects.values_mut() {
        *standing = Standing::NotOurs;
    }
    assert_eq!(run(seen), [Step::Release]);
}

#[test]
fn a_wait_is_told() {
    let deletion = |policy| Deletion {
        policy,
        orphan: false,
    };
    let seen = whole(Policy::Delete, false, 2);
    assert!(
        waits(&seen, deletion(Policy::Delete))
            .unwrap()
            .contains("db-0, db-1")
    );
    assert!(
        waits(&seen, deletion(Policy::DoNotTerminate))
            .unwrap()
            .contains("DoNotTerminate")
    );
    assert_eq!(
        waits(&whole(Policy::Delete, false, 0), deletion(Policy::Delete)),
        None
    );
}

proptest! {
    /// From any state: no claim goes while the set or a pod is there, none at all with Halt or DoNotTerminate or orphans.
    #[test]
    fn data_is_never_lost_by_order(
        policy in proptest::sample::select(&POLICIES[..]),
        orphan: bool,
        members in 0usize..4,
        set in proptest::sample::select(&[Standing::Same, Standing::Ending, Standing::Unneeded, Standing::NotOurs][..]),
        store in proptest::sample::select(&[Standing::Same, Standing::Unneeded][..]),
        halted: bool,
        paused: bool,
    ) {
        let mut seen = whole(policy, orphan, members);
        seen.objects.insert(Object::Set, set);
        for object in Object::STORE {
            seen.objects.insert(object, store);
        }
        (seen.halted, seen.paused) = (halted, paused);
        let pods = seen.pods.len();
        let step = plan(&seen);
        let loses = matches!(&step, Step::RemoveClaim(_) | Step::Remove(Object::Store(_) | Object::Auth | Object::Credentials));
        if loses {
            prop_assert!(pods == 0 && set != Standing::Same && set != Standing::Ending, "{:?}", step);
            prop_assert!(matches!(policy, Policy::Delete | Policy::WipeOut) && !orphan, "{:?}", step);
        }
    }
}
