use std::time::{Duration, Instant};

use e2e::volume::Space;
use serde_json::json;

use super::{Seen, Story};

const MIB: u64 = 1 << 20;

fn space(capacity: u64, used: u64) -> Seen {
    Seen::Space(Space {
        capacity: capacity * MIB,
        used: used * MIB,
        available: (capacity - used) * MIB,
    })
}

fn request(phase: &str) -> Seen {
    Seen::Request(json!({
        "metadata": {"name": "pgops-shop-abc123"},
        "spec": {"type": "VolumeExpansion", "volumeExpansion": {"postgres": "768Mi"}},
        "status": {"phase": phase, "conditions": [{"type": "Running", "message": "at work"}]},
    }))
}

#[test]
fn a_growth_is_told_in_order_and_timed_from_the_crossing() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut story = Story::new(start, 80.0);

    assert!(story.see(space(100, 50), at(0)).is_empty());
    assert!(
        story.see(space(100, 80), at(900)).is_empty(),
        "at the threshold is not over it"
    );
    assert_eq!(
        story.see(space(100, 81), at(1000)),
        ["  1.00 s  node     over 80 %: 81.0 %, 81 of 100 MiB used"]
    );
    assert!(
        story.see(space(100, 82), at(1100)).is_empty(),
        "a crossing is told once"
    );
    assert_eq!(
        story.see(request(""), at(1500)),
        ["  1.50 s  request  pgops-shop-abc123: VolumeExpansion, to 768 MiB"]
    );
    assert_eq!(
        story.see(request("Progressing"), at(1600)),
        ["  1.60 s  request  Progressing: at work"]
    );
    assert!(!story.ended());
    assert_eq!(story.see(space(150, 82), at(2000)).len(), 1);
    assert!(!story.ended(), "the request is not finished");
    assert_eq!(story.see(request("Successful"), at(2500)).len(), 1);
    assert!(story.ended());

    let summary = story.summary();
    for line in [
        "to the request              0.50 s",
        "to space that is usable     1.00 s",
        "to the request's end        1.50 s",
    ] {
        assert!(summary.contains(line), "{summary}");
    }
}

#[test]
fn a_growth_that_did_not_wait_for_the_threshold_is_timed_from_its_request() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut story = Story::new(start, 80.0);
    story.see(space(100, 26), at(0));
    story.see(request(""), at(500));
    story.see(space(250, 30), at(1500));
    story.see(request("Successful"), at(2500));
    assert!(story.ended());
    let summary = story.summary();
    for line in [
        "from the request, which came at 26 % and not at 80 %",
        "to space that is usable     1.00 s",
        "to the request's end        2.00 s",
    ] {
        assert!(summary.contains(line), "{summary}");
    }
    assert!(!summary.contains("to the request  "), "{summary}");
}

#[test]
fn of_a_request_before_the_first_reading_that_reading_is_told() {
    let start = Instant::now();
    let mut story = Story::new(start, 80.0);
    story.see(request(""), start);
    story.see(space(100, 14), start);
    story.see(space(250, 15), start);
    story.see(request("Successful"), start);
    let summary = story.summary();
    assert!(
        summary.contains("which came at 14 % and not at 80 %"),
        "{summary}"
    );
}

#[test]
fn a_filesystem_that_stays_as_it_was_is_no_growth() {
    let start = Instant::now();
    let mut story = Story::new(start, 80.0);
    story.see(space(100, 90), start);
    story.see(request("Successful"), start);
    assert!(!story.ended());
    assert!(
        story.excuse().contains("pgops-shop-abc123 is Successful"),
        "{}",
        story.excuse()
    );
}

#[test]
fn the_claim_and_the_decision_are_told_when_they_change() {
    let start = Instant::now();
    let mut story = Story::new(start, 80.0);
    let claim = |asks: &str, has: &str| {
        Seen::Claim(json!({
            "metadata": {"name": "data-shop-0"},
            "spec": {"resources": {"requests": {"storage": asks}}},
            "status": {"capacity": {"storage": has}},
        }))
    };
    assert!(story.see(claim("512Mi", "512Mi"), start).is_empty());
    assert_eq!(
        story.see(claim("768Mi", "512Mi"), start),
        ["  0.00 s  claim    data-shop-0 asks for 768 MiB, 512 MiB before"]
    );
    assert_eq!(
        story.see(claim("768Mi", "768Mi"), start),
        ["  0.00 s  claim    data-shop-0 has 768 MiB, 512 MiB before"]
    );

    let decided = |reason: &str, message: &str, growth: serde_json::Value| {
        let decision = json!({"type": "Decision", "status": "True", "reason": reason, "message": message});
        Seen::Autoscaler(json!({"status": {"conditions": [decision], "lastDecision": growth}}))
    };
    let below = || decided("BelowThreshold", "6% used", json!(null));
    assert_eq!(
        story.see(below(), start),
        ["  0.00 s  decider  BelowThreshold: 6% used"]
    );
    assert!(story.see(below(), start).is_empty());
    let growth = json!({"at": "T1", "reason": "ThresholdExceeded", "message": "512Mi -> 768Mi"});
    assert_eq!(
        story.see(decided("RequestOpen", "pgops-1", growth.clone()), start),
        [
            "  0.00 s  decider  ThresholdExceeded: 512Mi -> 768Mi",
            "  0.00 s  decider  RequestOpen: pgops-1"
        ]
    );
    let below = decided("BelowThreshold", "52% used", growth);
    assert_eq!(
        story.see(below, start),
        ["  0.00 s  decider  BelowThreshold: 52% used"]
    );
    let again = json!({"at": "T2", "reason": "ThresholdExceeded", "message": "768Mi -> 1152Mi"});
    let both = decided("ThresholdExceeded", "768Mi -> 1152Mi", again);
    assert_eq!(
        story.see(both, start).len(),
        1,
        "the growth and the answer are one line when they are the same"
    );
}
