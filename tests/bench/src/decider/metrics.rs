//! The decider's own figures, from its admin port.

use std::net::SocketAddr;

use anyhow::ensure;

use super::http::ask;

/// What was scraped.
#[derive(Debug, Clone)]
pub struct Metrics(String);

impl Metrics {
    /// Asks.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of(admin: SocketAddr) -> anyhow::Result<Self> {
        let (code, text) = ask(admin, "GET", "/metrics").await?;
        ensure!(code == 200, "the admin port says {code}");
        Ok(Self(text))
    }

    /// The sum over all labels of a metric, 0 if it is not there.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        let wanted = format!("highwater_decider_{name}");
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(&wanted)?;
            let value = rest.strip_prefix(' ').or_else(|| {
                let (_, value) = rest.strip_prefix('{')?.split_once("} ")?;
                Some(value)
            })?;
            value.split(' ').next()?.parse::<f64>().ok()
        });
        values.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn labels_are_added_up_and_longer_names_are_others() {
        let text = "highwater_decider_a_total{r=\"x\"} 2\nhighwater_decider_a_total{r=\"y\"} 3\n\
                    highwater_decider_a_total_more 9\nhighwater_decider_b 0.5\n# EOF\n";
        let metrics = Metrics(text.to_owned());
        let sums = ["a_total", "b", "c"].map(|name| metrics.sum(name));
        assert!(
            sums.iter()
                .zip([5.0, 0.5, 0.0])
                .all(|(a, b)| (a - b).abs() < 1e-9)
        );
    }
}
