//! What leaves no growth. The size is computed within the same bounds, so that nothing would be asked for without these
//! rules, either: they are what names the bound, before anything that only time lifts, and while there is no need to grow.

use units::Reason;

use crate::{
    order,
    scene::{Scene, full},
};

/// Spoils the full scene by a bound.
fn names(reason: Reason, spoil: fn(&mut Scene)) {
    let mut scene = full();
    spoil(&mut scene);
    let text = scene.text();
    assert_eq!(scene.reason(), reason);
    assert!(
        text.starts_with("the volumes of demo/pg have 1Gi, ") && text.ends_with(" leaves no growth"),
        "{text}"
    );
    order::below_threshold(&mut scene);
    assert_eq!(scene.reason(), Reason::BelowThreshold);
    assert_eq!(scene.barrier(), Some(reason), "told while there is no need");
}

macro_rules! each_bound_is_named {
    ($($name:ident => $reason:ident,)+) => { mod each_bound_is_named { $(
        #[test]
        fn $name() { super::names(units::Reason::$reason, super::order::$name); }
    )+ } };
}

each_bound_is_named! {
    at_upper_bound => AtUpperBound,
    upper_bound_below_the_present_size => AtUpperBound,
    at_maximum_size => AtMaximumSize,
    quota => QuotaExceeded,
    limit_range => QuotaExceeded,
}

/// More budget comes by itself, a larger bound does not.
#[test]
fn the_upper_bound_is_asked_before_the_budget() {
    let mut scene = full();
    order::budget(&mut scene);
    order::at_upper_bound(&mut scene);
    assert_eq!(scene.reason(), Reason::AtUpperBound);
}

#[test]
fn the_quota_is_asked_before_the_runaway_guard() {
    let mut scene = full();
    order::runaway(&mut scene);
    order::quota(&mut scene);
    assert_eq!(scene.reason(), Reason::QuotaExceeded);
}
