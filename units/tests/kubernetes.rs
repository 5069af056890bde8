//! Quantities against Kubernetes' own implementation, by a table of its answers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use units::{Quantity, quantity::Format};

/// A quantity without a digit is refused here; Kubernetes takes it for zero.
const NO_DIGIT: [&str; 5] = ["k", "+", ".", "Gi", "e3"];

#[test]
fn quantities_are_those_of_kubernetes() {
    let mut count = 0;
    for line in include_str!("kubernetes.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        count += 1;
        let row: Vec<&str> = line.split('\t').collect();
        match row.as_slice() {
            [text, "ERR"] => assert!(Quantity::parse(text).is_err(), "{text}"),
            [text, "0", "0"] if NO_DIGIT.contains(text) => assert!(Quantity::parse(text).is_err(), "{text}"),
            [text, canonical, value] => agrees(text, canonical, value.parse().unwrap()),
            _ => panic!("{row:?}"),
        }
    }
    assert!(count >= 500, "{count}");
}

fn agrees(text: &str, canonical: &str, value: i128) {
    let read = Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = read.to_string();
    match printed.split_once('e') {
        // Of 10^21 and more Kubernetes drops the suffix: it prints 1000E as 1.
        Some((number, _)) if read.format() == Format::DecimalSi => assert_eq!(number, canonical, "{text}"),
        _ => assert_eq!(printed, canonical, "{text}"),
    }
    let bytes = read.to_bytes().map(|bytes| i128::from(bytes.get()));
    if read.signum() < 0 {
        assert!(bytes.is_err(), "{text}");
    } else if bytes.as_ref().is_ok_and(|bytes| *bytes <= i128::from(i64::MAX)) {
        assert_eq!(bytes, Ok(value), "{text}");
    } else {
        // Beyond 2^63 - 1 Kubernetes' Value() wraps; the number is larger than what Value() says.
        assert!(bytes.is_err() || bytes.is_ok_and(|bytes| bytes > value), "{text}");
    }
}
