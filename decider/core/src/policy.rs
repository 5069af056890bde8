//! What a user wants: a PostgresAutoscaler's storage section and annotations, read and judged once.
//!
//! A field that cannot be used makes the whole policy unusable, with the field and the remedy in the message:
//! growing by a guess is worse than saying so. An annotation that cannot be used only leaves its default in
//! force, because annotations are ours and KubeDB's schema knows nothing of them.

use std::time::Duration;

use units::{Bytes, Growth, Percent, Reason, Rules, rules::RuleError};

use crate::note::Note;

/// KubeDB's default of `usageThreshold`.
const USAGE_THRESHOLD: i32 = 80;
/// KubeDB's default of `scalingThreshold`, in percent of the size.
const SCALING_THRESHOLD: i32 = 50;
/// Used inodes above this percentage fire; files run out before bytes only where they are many and tiny.
const INODE_THRESHOLD: i64 = 90;

/// The texts of an autoscaler, as they are written. `None` is a field that is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PolicySpec {
    /// `trigger`.
    pub trigger: Option<String>,
    /// `usageThreshold`.
    pub usage_threshold: Option<i32>,
    /// `scalingThreshold`.
    pub scaling_threshold: Option<i32>,
    /// `scalingRules`.
    pub rules: Vec<RuleSpec>,
    /// `upperBound`.
    pub upper_bound: Option<String>,
    /// Annotation `highwater.dev/mode`.
    pub mode: Option<String>,
    /// Annotation `highwater.dev/inode-threshold`.
    pub inode_threshold: Option<String>,
    /// Annotation `highwater.dev/time-to-full`.
    pub time_to_full: Option<String>,
    /// Annotation `highwater.dev/apply`.
    pub apply: Option<String>,
    /// `expansionMode` is `Offline`: pods may be stopped for it.
    pub offline: bool,
}

/// One of `scalingRules`, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RuleSpec {
    /// `appliesUpto`.
    pub applies_upto: String,
    /// `threshold`.
    pub threshold: String,
}

/// A policy that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Whether it acts at all.
    pub trigger: Trigger,
    /// Decide and act, or decide only.
    pub mode: Mode,
    /// What requests carry in `apply`.
    pub apply: Apply,
    /// Whether pods may be stopped so that their volumes grow.
    pub offline: bool,
    /// The numbers, if all of them can be used.
    pub limits: Result<Limits, PolicyError>,
    /// Annotations that could not be used.
    pub notes: Vec<Note>,
    /// Measurements older than this are not acted upon.
    pub stale_after: Duration,
}

/// `trigger`, and annotation `highwater.dev/time-to-full`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Acts.
    On,
    /// Does nothing; also when the field is empty, as KubeDB has it.
    Off,
}

/// Annotation `highwater.dev/mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Decide and act.
    Live,
    /// Decide, show, do not act.
    Shadow,
}

/// When a request may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// In any state of the database: waiting for Ready on a full disk waits for ever.
    Always,
    /// Only when the database is Ready.
    IfReady,
}

/// The numbers of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Used space above it fires; 1 to 99.
    pub usage_threshold: Percent,
    /// Whether the rate is acted upon, as a trigger and in sizes.
    pub time_to_full: Trigger,
    /// Used inodes above it fire; 1 to 99.
    pub inode_threshold: Percent,
    /// Growth by tier.
    pub rules: Rules,
    /// Growth where no tier applies.
    pub fallback: Growth,
    /// No volume becomes larger than this.
    pub upper_bound: Option<Bytes>,
}

/// A field of the autoscaler that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// KubeDB accepts any text and does nothing.
    #[error("spec.storage.postgres.trigger: {0:?} is neither \"On\" nor \"Off\"; write one of the two")]
    Trigger(String),
    /// Would always or never fire.
    #[error(
        "spec.storage.postgres.usageThreshold: {0} is not a percentage from 1 to 99; write for example 80"
    )]
    UsageThreshold(i32),
    /// Would not grow, or grow beyond sense.
    #[error(
        "spec.storage.postgres.scalingThreshold: {0} is not a percentage from 1 to 1000; write for example 50"
    )]
    ScalingThreshold(i32),
    /// A scaling rule.
    #[error("spec.storage.postgres.{0}")]
    Rule(RuleError),
    /// Not a size.
    #[error("spec.storage.postgres.upperBound: {0}")]
    UpperBound(units::QuantityError),
    /// No size at all.
    #[error(
        "spec.storage.postgres.upperBound: 0 leaves no room; write a size such as 500Gi, or leave it out"
    )]
    NoUpperBound,
}

impl Policy {
    /// Reads what is written. Total: whatever cannot be used is in `limits` or `notes`.
    #[must_use]
    pub fn read(spec: &PolicySpec, stale_after: Duration) -> Self {
        let mut notes = Vec::new();
        let mode = annotation(
            spec.mode.as_deref(),
            "highwater.dev/mode",
            Mode::Live,
            &mut notes,
            one_of([("Live", Mode::Live), ("Shadow", Mode::Shadow)]),
        );
        let apply = annotation(
            spec.apply.as_deref(),
            "highwater.dev/apply",
            Apply::Always,
            &mut notes,
            one_of([("Always", Apply::Always), ("IfReady", Apply::IfReady)]),
        );
        let default_inodes = Percent::new(INODE_THRESHOLD).unwrap_or(Percent::FULL);
        let inode_threshold = annotation(
            spec.inode_threshold.as_deref(),
            "highwater.dev/inode-threshold",
            default_inodes,
            &mut notes,
            |text| Percent::parse(text).ok().filter(|p| (1..=99).contains(&p.get())),
        );
        let time_to_full = annotation(
            spec.time_to_full.as_deref(),
            "highwater.dev/time-to-full",
            Trigger::On,
            &mut notes,
            one_of([("On", Trigger::On), ("Off", Trigger::Off)]),
        );
        let (trigger, bad_trigger) = match spec.trigger.as_deref() {
            Some("On") => (Trigger::On, None),
            None | Some("" | "Off") => (Trigger::Off, None),
            Some(other) => (Trigger::On, Some(PolicyError::Trigger(other.to_owned()))),
        };
        let limits = match bad_trigger {
            Some(error) => Err(error),
            None => Limits::read(spec, inode_threshold, time_to_full),
        };
        Self {
            trigger,
            mode,
            apply,
            offline: spec.offline,
            limits,
            notes,
            stale_after,
        }
    }
}

impl Limits {
    fn read(spec: &PolicySpec, inode_threshold: Percent, time_to_full: Trigger) -> Result<Self, PolicyError> {
        let usage = spec.usage_threshold.unwrap_or(USAGE_THRESHOLD);
        let usage_threshold = Percent::new(usage.into())
            .ok()
            .filter(|p| (1..=99).contains(&p.get()))
            .ok_or(PolicyError::UsageThreshold(usage))?;
        let scaling = spec.scaling_threshold.unwrap_or(SCALING_THRESHOLD);
        let fallback = u32::try_from(scaling)
            .ok()
            .filter(|p| (1..=1000).contains(p))
            .map(Growth::Percent)
            .ok_or(PolicyError::ScalingThreshold(scaling))?;
        let pairs = spec
            .rules
            .iter()
            .map(|r| (r.applies_upto.as_str(), r.threshold.as_str()));
        let rules = Rules::parse(pairs).map_err(PolicyError::Rule)?;
        let upper_bound = match spec.upper_bound.as_deref().map(Bytes::parse_quantity) {
            None => None,
            Some(Ok(Bytes::ZERO)) => return Err(PolicyError::NoUpperBound),
            Some(Ok(bound)) => Some(bound),
            Some(Err(error)) => return Err(PolicyError::UpperBound(error)),
        };
        Ok(Self {
            usage_threshold,
            time_to_full,
            inode_threshold,
            rules,
            fallback,
            upper_bound,
        })
    }
}

/// The value of an annotation, or its default and a note.
fn annotation<T>(
    text: Option<&str>,
    key: &str,
    default: T,
    notes: &mut Vec<Note>,
    read: impl FnOnce(&str) -> Option<T>,
) -> T {
    let Some(text) = text else { return default };
    read(text).unwrap_or_else(|| {
        notes.push(Note::new(
            Reason::InvalidAnnotation,
            format!("annotation {key}: {text:?} cannot be used, the default stays in force"),
        ));
        default
    })
}

/// Reads one of two words.
fn one_of<T: Copy>(words: [(&'static str, T); 2]) -> impl FnOnce(&str) -> Option<T> {
    move |text| {
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests;
