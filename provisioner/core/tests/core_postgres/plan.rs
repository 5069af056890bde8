use std::collections::BTreeMap;

use provisioner_core::postgres::{Claim, Object, Observed, Pod, Standing, Step, StoreMap, plan};

fn all(standing: Standing) -> BTreeMap<Object, Standing> {
    Object::MADE
        .into_iter()
        .map(|object| (object, standing))
        .collect()
}

fn running() -> Observed {
    Observed {
        finalizer: true,
        objects: all(Standing::Same),
        ..Observed::default()
    }
}

fn pod(name: &str, says_primary: bool) -> Pod {
    Pod {
        name: name.to_owned(),
        says_primary,
    }
}

#[test]
fn everything_is_made_in_order_one_write_at_a_time_after_the_finalizer() {
    let mut seen = Observed {
        objects: all(Standing::Absent),
        ..Observed::default()
    };
    assert_eq!(plan(&seen), Step::AddFinalizer);
    seen.finalizer = true;
    for object in Object::MADE {
        assert_eq!(plan(&seen), Step::Make(object));
        seen.objects.insert(object, Standing::Same);
    }
    assert_eq!(plan(&seen), Step::Nothing);
}

#[test]
fn what_is_in_the_way_decides() {
    let differs = |change: fn(&mut Observed)| {
        let mut seen = running();
        seen.objects.insert(Object::Primary, Standing::Differs);
        change(&mut seen);
        plan(&seen)
    };
    assert_eq!(differs(|_| {}), Step::Change(Object::Primary));
    assert_eq!(differs(|seen| seen.paused = true), Step::Nothing);
    assert_eq!(differs(|seen| seen.obstacle = true), Step::Nothing);
    for standing in [Standing::NotOurs, Standing::Ending, Standing::Unneeded] {
        let mut seen = running();
        seen.objects.insert(Object::Primary, standing);
        assert_eq!(plan(&seen), Step::Nothing, "{standing:?}");
    }
    let mut seen = running();
    seen.objects.insert(Object::Standby, Standing::Unwanted);
    assert_eq!(plan(&seen), Step::Remove(Object::Standby));
    let mut seen = running();
    seen.settings_differ = true;
    assert_eq!(plan(&seen), Step::Settings);
}

#[test]
fn a_false_primary_comes_first_also_while_paused() {
    let mut seen = running();
    seen.paused = true;
    seen.pods = vec![pod("db-0", true), pod("db-1", true)];
    assert_eq!(plan(&seen), Step::Nothing, "nobody knows who leads");
    seen.leader = Some("db-1".to_owned());
    assert_eq!(plan(&seen), Step::TakeRole("db-0".to_owned()));
    seen.leader = Some("db-0".to_owned());
    assert_eq!(plan(&seen), Step::TakeRole("db-1".to_owned()));
}

#[test]
fn stale_state_goes_before_the_first_set_and_never_while_data_or_pods_are_left() {
    let stale = Object::Store(StoreMap::Config);
    let mut seen = running();
    seen.objects.insert(Object::Set, Standing::Absent);
    seen.objects.insert(stale, Standing::Same);
    assert_eq!(plan(&seen), Step::Remove(stale));
    let with_claim = Observed {
        claims: vec![Claim {
            name: "data-db-0".to_owned(),
            ending: false,
        }],
        ..seen.clone()
    };
    assert_eq!(plan(&with_claim), Step::Make(Object::Set));
    let with_pod = Observed {
        pods: vec![pod("db-0", false)],
        ..seen.clone()
    };
    assert_eq!(plan(&with_pod), Step::Make(Object::Set));
    seen.objects.insert(stale, Standing::NotOurs);
    assert_eq!(plan(&seen), Step::Make(Object::Set));
}

#[test]
fn a_halt_removes_the_set_first_and_keeps_what_opens_the_data() {
    let mut seen = running();
    seen.halted = true;
    let mut order = Vec::new();
    while let Step::Remove(object) = plan(&seen) {
        order.push(object);
        seen.objects.insert(object, Standing::Unneeded);
    }
    assert_eq!(
        order,
        [
            Object::Set,
            Object::Governing,
            Object::Primary,
            Object::Standby,
            Object::Budget
        ]
    );
    assert_eq!(plan(&seen), Step::Nothing);
}
