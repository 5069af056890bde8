//! What is made of a timeline: decided each second, and compared.

use decider_core::Decision;
use units::{Bytes, Reason};

use crate::{
    timeline::{self, Timeline},
    world::{Slope, World},
};

/// A growth as it was decided.
#[derive(Debug)]
struct Growth {
    second: i64,
    why: Reason,
    to: Bytes,
    /// Shown when a timeline fails.
    #[allow(dead_code, reason = "read by Debug")]
    text: String,
}

/// Plays a timeline and compares.
pub(crate) fn check(name: &str) {
    let timeline = timeline::read(name);
    let (growths, full) = play(&timeline, Slope::OfPeaks, |second, decision| {
        for (at, wanted) in timeline.holds.iter().filter(|(at, _)| *at == second) {
            let record = decision.record();
            assert_eq!(record.reason.as_str(), wanted, "{name} at {at}: {}", record.text);
        }
    });
    let told = format!("{name} ({}): {growths:#?}, full {full:?}", timeline.why);
    assert_eq!(growths.len(), timeline.expect.len(), "{told}");
    for (growth, wanted) in growths.iter().zip(&timeline.expect) {
        assert!((wanted.from..=wanted.to).contains(&growth.second), "{told}");
        assert_eq!(growth.why.as_str(), wanted.reason, "{told}");
        assert!(wanted.size.is_none_or(|size| size == growth.to.get()), "{told}");
    }
    assert_eq!(full, timeline.full, "{told}");
}

/// Whether it takes the memory of earlier peaks to decide what is expected: by the slope of what is used, there would
/// be more growths.
pub(crate) fn lives_by_its_peaks(timeline: &Timeline) -> bool {
    play(timeline, Slope::OfUse, |_, _| {}).0.len() > timeline.expect.len()
}

/// The growths, and when the volume was first full.
fn play(
    timeline: &Timeline,
    slope: Slope,
    mut looks: impl FnMut(i64, &Decision),
) -> (Vec<Growth>, Option<i64>) {
    let end = timeline.data.last().expect("data").0;
    let mut world = World::new(timeline, slope);
    let mut growths = Vec::new();
    for second in 0..=end {
        world.step(second);
        let decision = world.decide(second);
        looks(second, &decision);
        if let Decision::Expand {
            to,
            base,
            why,
            record,
            ..
        } = decision
        {
            growths.push(Growth {
                second,
                why,
                to,
                text: record.text,
            });
            world.grow(second, base, to);
        }
    }
    (growths, world.full)
}
