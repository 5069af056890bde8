//! How large: the size to ask for, with its arithmetic.

use std::time::Duration;

use units::{Bytes, Percent, Reason};

use crate::{
    caps::Cap,
    database::{Database, Resize, Seen, Volume},
    human::human,
    policy::Limits,
    rate::Rate,
    trigger::{Against, EMERGENCY_PERCENT},
};

/// A growth ends at least this many points under the threshold, or the next write crosses it again.
const MARGIN_POINTS: u8 = 5;
/// Steps of a rule within one decision. A rule that needs more (10 MiB a step, terabytes to go) is finished by
/// going straight to what is needed.
const MOST_STEPS: u32 = 1_000;

/// However long until the next modification: what is only expected is not bought beyond this multiple, which is also
/// what the runaway guard allows in a day.
const MOST_FOR_HOURS: u64 = 4;

/// A size with the arithmetic that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizing {
    /// The size before.
    pub base: Bytes,
    /// The rules applied, in words.
    pub rule: String,
    /// How many steps of them.
    pub steps: u32,
    /// The smallest size at which every volume is under the thresholds by the margin, and lasts.
    pub needed: Bytes,
    /// The part of it that rates need; zero if none is known.
    pub for_rate: Bytes,
    /// What the rules give, rounded up to the profile's granularity.
    pub wanted: Bytes,
    /// Every limit looked at.
    pub caps: Vec<Cap>,
    /// The limit that made it less than wanted.
    pub capped_by: Option<Cap>,
    /// The size after.
    pub to: Bytes,
    /// No tier applied at some step; scalingThreshold did.
    pub fallback: bool,
}

impl Sizing {
    /// The capped size is less than what is needed.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.to < self.needed
    }

    /// The arithmetic in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            base,
            rule,
            steps,
            needed,
            for_rate,
            wanted,
            capped_by,
            to,
            ..
        } = self;
        let times = if *steps > 1 {
            format!(" x{steps}")
        } else {
            String::new()
        };
        let rate = if for_rate == needed && *for_rate > Bytes::ZERO {
            format!(", its rate needs {}", human(*for_rate))
        } else {
            String::new()
        };
        let capped = match capped_by {
            Some(cap) if self.falls_short() => {
                format!(
                    ", wanted {}, capped by {}, which is less than needed",
                    human(*wanted),
                    cap.what
                )
            }
            Some(cap) => format!(", wanted {}, capped by {}", human(*wanted), cap.what),
            None => String::new(),
        };
        format!(
            "{} -> {} (rule {rule}{times}{rate}{capped})",
            human(*base),
            human(*to)
        )
    }
}

/// The size a growth starts from: the largest of what any member has or will get. `None` without volumes.
#[must_use]
pub fn base(db: &Database) -> Option<Bytes> {
    db.volumes
        .iter()
        .map(own_base)
        .max()
        .filter(|base| *base > Bytes::ZERO)
}

/// What one volume has, or will get. A request that will not be fulfilled does not count, and neither does a
/// device that grew for it: else each failure would raise the next target.
fn own_base(volume: &Volume) -> Bytes {
    let filesystem = volume.seen().map_or(Bytes::ZERO, |s| s.sample.usage.capacity);
    let has = filesystem.max(volume.claim.capacity);
    match volume.resize {
        Resize::Settled => has.max(volume.claim.request).max(volume.claim.device),
        Resize::InFlight { .. } => has.max(volume.claim.request),
        Resize::Infeasible | Resize::Abandoned => has,
    }
}

/// The size to ask for. `seen` are the fresh measurements with their volumes; the next modification is permitted
/// after `until_next`.
pub(crate) fn grow(
    base: Bytes,
    seen: &[(&Volume, &Seen)],
    against: Against<'_>,
    until_next: Duration,
    caps: Vec<Cap>,
) -> Result<Sizing, Reason> {
    let Against { limits, profile, .. } = against;
    let most = |of: &dyn Fn(&Volume, &Seen) -> Bytes| {
        let all = seen.iter().map(|(volume, seen)| of(volume, seen));
        all.max().unwrap_or(Bytes::ZERO)
    };
    let for_rate = most(&|v, s| needed_by_rate(base, v, s, against, until_next));
    let needed = most(&|v, s| needed_by(v, s, limits)).max(for_rate);
    let Steps {
        size,
        rule,
        count,
        fallback,
    } = climb(base, needed, limits).ok_or(Reason::NoGrowth)?;
    let wanted = size.round_up_to(profile.granularity).ok_or(Reason::NoGrowth)?;
    let tightest = caps.iter().min_by_key(|cap| cap.limit);
    let capped_by = tightest.filter(|cap| cap.limit < wanted).cloned();
    let to = capped_by.as_ref().map_or(wanted, |cap| cap.limit);
    if to <= base {
        return Err(capped_by.map_or(Reason::NoGrowth, |cap| cap.reason));
    }
    Ok(Sizing {
        base,
        rule,
        steps: count,
        needed,
        for_rate,
        wanted,
        caps,
        capped_by,
        to,
        fallback,
    })
}

/// A walk up the tiers.
struct Steps {
    size: Bytes,
    rule: String,
    count: u32,
    fallback: bool,
}

/// Applies the tier of each size reached, at least once, until `needed` is reached. `None` if a step leads
/// nowhere.
fn climb(base: Bytes, needed: Bytes, limits: &Limits) -> Option<Steps> {
    let mut steps = Steps {
        size: base,
        rule: String::new(),
        count: 0,
        fallback: false,
    };
    while steps.count == 0 || steps.size < needed {
        if steps.count == MOST_STEPS {
            steps.size = needed;
            break;
        }
        let tier = limits.rules.rule_for(steps.size);
        let growth = tier.map_or(limits.fallback, |rule| rule.growth);
        let next = growth.apply(steps.size).filter(|next| *next > steps.size)?;
        if steps.count == 0 {
            steps.rule = tier.map_or_else(|| format!("scalingThreshold: {growth}"), |rule| rule.to_string());
        }
        steps.fallback |= tier.is_none() && !limits.rules.is_empty();
        steps.size = next;
        steps.count += 1;
    }
    Some(steps)
}

/// The smallest size at which this volume is under both thresholds by the margin.
///
/// The filesystem keeps the share of the volume that it has now: what it loses to its own data and to a
/// reserve grows no faster than the volume, so that this is never too little.
fn needed_by(volume: &Volume, seen: &Seen, limits: &Limits) -> Bytes {
    let own = volume.claim.capacity.max(seen.sample.usage.capacity);
    let space = scaled(
        own,
        seen.sample.usage.used.get(),
        seen.sample.usable().get(),
        limits.usage_threshold,
    );
    let inodes = if seen.fixed_inodes && seen.sample.inodes_total > 0 {
        scaled(
            own,
            seen.sample.inodes_used(),
            seen.sample.inodes_total,
            limits.inode_threshold,
        )
    } else {
        Bytes::ZERO
    };
    space.max(inodes)
}

/// The smallest size that lasts: while it is being grown, then until the next modification is permitted, and from
/// there as long again as a growth takes, or the next one would be too late as soon as it may be asked for. Until then
/// it is no emergency, either: what was foreseen must not spend the reserve.
///
/// What hours bring is bounded: no provider takes space back.
fn needed_by_rate(
    base: Bytes,
    volume: &Volume,
    seen: &Seen,
    against: Against<'_>,
    until_next: Duration,
) -> Bytes {
    let Some(forecast) = against.forecast(seen).filter(|f| f.rate > Rate::ZERO) else {
        return Bytes::ZERO;
    };
    let own = volume.claim.capacity.max(seen.sample.usage.capacity);
    let soon = forecast.rate.during(forecast.lead.saturating_mul(2));
    let hours = seen.trend.sustained.unwrap_or(forecast.rate).during(until_next);
    let with = |more: Bytes, percent: u8| {
        let used = u128::from(seen.sample.usage.used.get()) + u128::from(more.get());
        let whole = u128::from(seen.sample.usable().get()) * u128::from(percent);
        let size = u128::from(own.get()).saturating_mul(used).saturating_mul(100);
        Bytes::new(u64::try_from(size.div_ceil(whole.max(1))).unwrap_or(u64::MAX))
    };
    let lasts = with(soon, 100);
    if hours == Bytes::ZERO {
        return lasts;
    }
    let most = base.checked_mul_ratio(MOST_FOR_HOURS, 1).unwrap_or(base);
    let until_then = soon.checked_add(hours).map_or(most, |more| with(more, 100));
    let calm = with(hours, EMERGENCY_PERCENT - 1);
    lasts.max(until_then.max(calm).min(most))
}

/// `own` enlarged until `used` of `whole`, which grows with it, is at most the threshold less the margin.
fn scaled(own: Bytes, used: u64, whole: u64, threshold: Percent) -> Bytes {
    let goal = threshold
        .get()
        .saturating_sub(MARGIN_POINTS)
        .max(threshold.get() / 2)
        .max(1);
    let times = u128::from(own.get())
        .saturating_mul(u128::from(used))
        .saturating_mul(100);
    let size = times.div_ceil((u128::from(whole) * u128::from(goal)).max(1));
    Bytes::new(u64::try_from(size).unwrap_or(u64::MAX))
}
