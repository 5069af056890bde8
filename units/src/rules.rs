//! Scaling rules: how much a volume grows, by the size it has.
//!
//! Read from `scalingRules[] {appliesUpto, threshold}`: tiers sorted by `appliesUpto` (written in any order,
//! never written back), at most one of them open-ended. What it is not: the decision to grow, or its caps.

use std::fmt;

use crate::{Bytes, QuantityError};

/// The largest percentage a rule may grow by: eleven times the size in one step is a typing error.
const MAX_GROWTH_PERCENT: u32 = 1000;

/// How much a volume grows in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Growth {
    /// By this many percent of its size, 1 to 1000.
    Percent(u32),
    /// By this many bytes, at least one.
    By(Bytes),
}

/// One tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScalingRule {
    /// The largest size the tier applies to; `None` is open-ended.
    pub applies_upto: Option<Bytes>,
    /// How much a volume of the tier grows.
    pub growth: Growth,
}

/// The tiers of one autoscaler, ascending, an open end last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<ScalingRule>);

/// A rule that cannot be used: which one, what it says, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// `appliesUpto` is neither empty nor a size.
    #[error("scalingRules[{index}].appliesUpto: {cause}")]
    AppliesUpto {
        /// Place in the list as written, from 0.
        index: usize,
        /// What is wrong with the text.
        cause: QuantityError,
    },
    /// `threshold` is neither a percentage nor a size.
    #[error("scalingRules[{index}].threshold: {cause}")]
    Threshold {
        /// Place in the list as written, from 0.
        index: usize,
        /// What is wrong with the text.
        cause: GrowthError,
    },
    /// More than one rule has an empty `appliesUpto`.
    #[error(
        "scalingRules[{first}] and scalingRules[{second}] both have an empty appliesUpto; \
         keep one, and give the other the largest size it applies to"
    )]
    TwoOpenEnds {
        /// Place of the first one, from 0.
        first: usize,
        /// Place of the second one, from 0.
        second: usize,
    },
}

/// A text that says no growth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrowthError {
    /// A percentage out of range, or not a whole number.
    #[error("{0:?} is not a whole percentage from 1 to {MAX_GROWTH_PERCENT}; write for example 50pc")]
    Percent(String),
    /// Not a size either.
    #[error("{0}; or a percentage such as 50pc")]
    Quantity(QuantityError),
    /// Grows by nothing.
    #[error("{0:?} grows by nothing; write a size above 0, such as 10Gi, or a percentage such as 50pc")]
    Zero(String),
}

impl Growth {
    /// Reads `50pc`, `50%` or a quantity such as `10Gi`.
    pub fn parse(text: &str) -> Result<Growth, GrowthError> {
        if let Some(number) = text.strip_suffix("pc").or_else(|| text.strip_suffix('%')) {
            return number
                .parse()
                .ok()
                .filter(|percent| (1..=MAX_GROWTH_PERCENT).contains(percent))
                .map(Growth::Percent)
                .ok_or_else(|| GrowthError::Percent(text.to_owned()));
        }
        match Bytes::parse_quantity(text) {
            Ok(Bytes::ZERO) => Err(GrowthError::Zero(text.to_owned())),
            Ok(size) => Ok(Growth::By(size)),
            Err(cause) => Err(GrowthError::Quantity(cause)),
        }
    }

    /// The size after one step from `size`, rounded up to whole bytes; `None` when it does not fit.
    #[must_use]
    pub fn apply(self, size: Bytes) -> Option<Bytes> {
        match self {
            Growth::Percent(percent) => size.checked_mul_ratio(100 + u64::from(percent), 100),
            Growth::By(step) => size.checked_add(step),
        }
    }
}

/// As it is written in a rule: `50pc`, `10Gi`.
impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Growth::Percent(percent) => write!(f, "{percent}pc"),
            Growth::By(size) => size.fmt(f),
        }
    }
}

impl ScalingRule {
    /// True when a volume of this size belongs to the tier.
    #[must_use]
    pub fn applies_to(self, capacity: Bytes) -> bool {
        self.applies_upto.is_none_or(|upto| capacity <= upto)
    }
}

/// As it is said in a message: `up to 10Gi: 50pc`, `any size: 10Gi`.
impl fmt::Display for ScalingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.applies_upto {
            Some(upto) => write!(f, "up to {upto}: {}", self.growth),
            None => write!(f, "any size: {}", self.growth),
        }
    }
}

impl Rules {
    /// Reads pairs `(appliesUpto, threshold)` in the order in which they are written.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Rules, RuleError> {
        let mut rules = Vec::new();
        let mut open_end = None;
        for (index, (upto, threshold)) in pairs.into_iter().enumerate() {
            let applies_upto = match upto {
                "" => None,
                text => Some(
                    Bytes::parse_quantity(text).map_err(|cause| RuleError::AppliesUpto { index, cause })?,
                ),
            };
            if applies_upto.is_none()
                && let Some(first) = open_end.replace(index)
            {
                return Err(RuleError::TwoOpenEnds { first, second: index });
            }
            let growth = Growth::parse(threshold).map_err(|cause| RuleError::Threshold { index, cause })?;
            rules.push(ScalingRule { applies_upto, growth });
        }
        // Stable: of two rules with the same bound the one written first is met first.
        rules.sort_by_key(|rule| (rule.applies_upto.is_none(), rule.applies_upto));
        Ok(Rules(rules))
    }

    /// The tier of a volume of this size; `None` when no tier reaches that far.
    #[must_use]
    pub fn rule_for(&self, capacity: Bytes) -> Option<ScalingRule> {
        self.0.iter().copied().find(|rule| rule.applies_to(capacity))
    }

    /// True when there are no rules: `scalingThreshold` applies at every size.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tiers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &ScalingRule> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
