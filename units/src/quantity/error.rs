//! What can be wrong with a quantity, said so that the reader knows what to write instead.
//!
//! Not a parser: it only looks at a text that has been refused.

/// A text, or a number, that cannot be used as a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text does not follow the grammar of Kubernetes quantities.
    #[error("{text:?} is not a Kubernetes quantity; {remedy}")]
    Syntax {
        /// What was read.
        text: String,
        /// What to write instead.
        remedy: String,
    },
    /// A size cannot be negative.
    #[error("{0:?} is negative; write a size of 0 or more")]
    Negative(String),
    /// More than can be counted.
    #[error("{0:?} is too large; write a size below 8Ei")]
    TooLarge(String),
}

impl QuantityError {
    /// The refusal of `text`, with the nearest spelling that Kubernetes accepts.
    pub(crate) fn syntax(text: &str) -> QuantityError {
        QuantityError::Syntax {
            text: text.to_owned(),
            remedy: remedy(text),
        }
    }
}

/// `500GB` becomes "write 500G or 500Gi"; what cannot be guessed gets the general rule.
fn remedy(text: &str) -> String {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '_' && *c != ',')
        .collect();
    let digits = compact
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .count();
    let (number, suffix) = compact.split_at(digits);
    let word = suffix.to_ascii_lowercase();
    let word = word
        .trim_end_matches("bytes")
        .trim_end_matches("byte")
        .trim_end_matches('b');
    let unit = match word.trim_end_matches('i') {
        "k" => Some(("k", "Ki")),
        "m" => Some(("M", "Mi")),
        "g" => Some(("G", "Gi")),
        "t" => Some(("T", "Ti")),
        "p" => Some(("P", "Pi")),
        "e" => Some(("E", "Ei")),
        _ => None,
    };
    match unit {
        _ if number.is_empty() || number.matches('.').count() > 1 => {
            "write a number with an optional suffix, such as 500Gi or 500G".to_owned()
        }
        Some((_, binary)) if word.ends_with('i') => format!("write {number}{binary}"),
        Some((decimal, binary)) => format!("write {number}{decimal} or {number}{binary}"),
        None if word.is_empty() => format!("write {number}"),
        None => format!("write {number} with a suffix such as Gi or G"),
    }
}

#[cfg(test)]
mod tests {
    use super::QuantityError;

    #[test]
    fn the_remedy_names_what_to_write() {
        for (text, remedy) in [
            ("500GB", "write 500G or 500Gi"),
            ("500GiB", "write 500Gi"),
            ("500gi", "write 500Gi"),
            ("10K", "write 10k or 10Ki"),
            ("10kB", "write 10k or 10Ki"),
            ("1 Gi", "write 1Gi"),
            ("1,000", "write 1000"),
            ("500B", "write 500"),
            ("5 bytes", "write 5"),
            (
                "1.5.0Gi",
                "write a number with an optional suffix, such as 500Gi or 500G",
            ),
            (
                "",
                "write a number with an optional suffix, such as 500Gi or 500G",
            ),
            (
                "Gi",
                "write a number with an optional suffix, such as 500Gi or 500G",
            ),
            ("5x", "write 5 with a suffix such as Gi or G"),
        ] {
            let error = QuantityError::syntax(text).to_string();
            assert_eq!(error, format!("{text:?} is not a Kubernetes quantity; {remedy}"));
        }
    }
}
