//! The seconds that a growth took, and from what on they count.

use std::time::Instant;

use super::Story;

impl Story {
    /// The end of a demo that worked: times from the crossing of the threshold, or, where the request did not wait for
    /// it, from the request.
    pub(crate) fn summary(&self) -> String {
        let early = self
            .requested
            .filter(|requested| self.crossed.is_none_or(|crossed| *requested < crossed));
        let (from, title) = match early {
            Some(_) => (early, self.early()),
            None => (
                self.crossed,
                "from the crossing of the threshold, seen on the node".to_owned(),
            ),
        };
        let stages = [
            ("to the request", self.requested),
            ("to space that is usable", self.usable),
            ("to the request's end", self.finished),
        ];
        let told = &stages[usize::from(early.is_some())..];
        let lines: Vec<String> = told.iter().map(|(stage, at)| line(stage, from, *at)).collect();
        format!("\n{title}\n{}\n", lines.join("\n"))
    }

    fn early(&self) -> String {
        let used = self.used_when_requested.unwrap_or_default();
        format!(
            "from the request, which came at {used:.0} % and not at {} %: it fills too fast to wait for that",
            self.threshold
        )
    }
}

fn line(stage: &str, from: Option<Instant>, at: Option<Instant>) -> String {
    let took = from
        .zip(at)
        .map(|(from, to)| to.saturating_duration_since(from).as_secs_f64());
    took.map_or_else(
        || format!("  {stage:<26}     -"),
        |seconds| format!("  {stage:<26}{seconds:6.2} s"),
    )
}
