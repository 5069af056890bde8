//! What was survived with one delay.

use super::{Rule, filler::rounded, rivals::RIVALS, size::Size};

/// The highest rate of each, MiB a second; 0 is none of those tried.
#[derive(Debug, Default)]
pub(super) struct Survived {
    pub(super) whole: u64,
    pub(super) threshold: u64,
    pub(super) rivals: [u64; RIVALS.len()],
}

impl Survived {
    /// Prints them, each with its part of what all rules survive.
    pub(super) fn print(&self, delay: u64, runs: usize, size: Size) {
        println!(
            "\nhighest rate survived in {runs} of {runs} runs, {}, expansions {delay} s longer",
            size.text
        );
        let line = |name: &str, rate: u64| {
            let ratio = rounded(rate) / rounded(self.whole.max(1));
            println!("{name:<56} {rate:>4} MiB/s  {ratio:>5.2}");
        };
        line(&Rule::Whole.to_string(), self.whole);
        line(&Rule::ThresholdAlone.to_string(), self.threshold);
        for (rival, rate) in RIVALS.iter().zip(self.rivals) {
            line(&format!("{} (simulated)", rival.name), rate);
        }
    }
}
