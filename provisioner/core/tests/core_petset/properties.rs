//! Whatever happens to a set: it settles as asked, never doubles a pod, and leaves a held ordinal and claims alone. The
//! model itself refuses a pod that is there, one that is held, and an owner that would take a claim away.

use proptest::{collection::vec, prelude::*};
use provisioner_core::petset::{Management, Phase, Step, Update, hold::Request};

use crate::model::{Model, lift};

#[derive(Debug, Clone)]
enum Event {
    Scale(i32),
    Template(u8),
    Partition(i32),
    OnDelete,
    Delete(usize),
    Fail(usize),
    Unready(usize),
    Hold(i32),
    Lift,
    Steps(u8),
    Kubelet,
    Later,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..5).prop_map(Event::Scale),
        any::<u8>().prop_map(|n| Event::Template(n % 3)),
        (0..4).prop_map(Event::Partition),
        Just(Event::OnDelete),
        (0..5_usize).prop_map(Event::Delete),
        (0..5_usize).prop_map(Event::Fail),
        (0..5_usize).prop_map(Event::Unready),
        (0..5).prop_map(Event::Hold),
        Just(Event::Lift),
        (1..9_u8).prop_map(Event::Steps),
        Just(Event::Kubelet),
        Just(Event::Later),
    ]
}

fn happen(model: &mut Model, event: &Event) {
    let pods = model.set.pods.len().max(1);
    let pod = |model: &mut Model, at: usize| model.set.pods.get(at % pods).map(|pod| pod.ordinal);
    match *event {
        Event::Scale(to) => model.scale(to),
        Event::Template(n) => model.template(&format!("template {n}")),
        Event::Partition(partition) => model.set.spec.update = Update::Rolling { partition },
        Event::OnDelete => model.set.spec.update = Update::OnDelete,
        Event::Delete(at) => {
            if let Some(ordinal) = pod(model, at) {
                model.pod(ordinal).is_terminating = true;
            }
        }
        Event::Fail(at) => {
            if let Some(ordinal) = pod(model, at) {
                model.pod(ordinal).phase = Phase::Failed;
                model.pod(ordinal).is_ready = false;
            }
        }
        Event::Unready(at) => {
            if let Some(ordinal) = pod(model, at) {
                model.pod(ordinal).phase = Phase::Pending;
                model.pod(ordinal).is_ready = false;
            }
        }
        Event::Hold(ordinal) => model.hold(ordinal, Request::Open),
        Event::Lift => lift(model),
        Event::Steps(n) => {
            for _ in 0..n {
                let step = model.next();
                check(model, &step);
                model.apply(&step);
            }
        }
        Event::Kubelet => drop(model.kubelet()),
        Event::Later => model.now += std::time::Duration::from_secs(1),
    }
}

/// Where pods wait for each other, a pod is made, or goes because there are too many, only when all before it are available.
fn check(model: &Model, step: &Step) {
    if model.set.spec.management != Management::OrderedReady {
        return;
    }
    let available = |ordinal: i32| {
        model.set.hold.holds(ordinal)
            || model
                .set
                .pod(ordinal)
                .is_some_and(|pod| pod.is_ready && !pod.is_terminating)
    };
    if let Step::CreatePod { ordinal, .. } = step {
        let before = model.set.ordinals().start..*ordinal;
        assert!(
            before.clone().all(available),
            "{step:?} before those of {before:?} are there"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_settles_as_asked(parallel: bool, replicas in 0..4, events in vec(event(), 0..24)) {
        let mut model = Model::new(replicas);
        if parallel {
            model.set.spec.management = Management::Parallel;
        }
        for event in &events {
            happen(&mut model, event);
        }
        lift(&mut model);
        model.settle();
        let wanted: Vec<i32> = model.set.ordinals().collect();
        prop_assert_eq!(model.ordinals(), wanted);
        let all = model.set.spec.replicas;
        let stored = &model.set.stored;
        prop_assert_eq!((stored.replicas, stored.ready, stored.available), (all, all, all));
        let lowest = match model.set.spec.update {
            Update::Rolling { partition } => partition,
            Update::OnDelete => i32::MAX,
        };
        for pod in model.set.pods.iter().filter(|pod| pod.ordinal >= lowest) {
            prop_assert_eq!(Some(&pod.revision), stored.update_revision.as_ref());
        }
        prop_assert!(model.set.claims.iter().all(|claim| claim.owners.is_empty()));
        prop_assert_eq!(model.next(), Step::Wait(None));
    }
}
