//! Tables from apimachinery's own tests, and properties against an independent implementation.

use std::cmp::Ordering;

use kube_quantity::ParsedQuantity;
use proptest::prelude::*;

use super::{Format, Quantity, QuantityError};
use crate::Bytes;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// What apimachinery's `Quantity.String()` answers after reading the left side.
#[test]
fn prints_what_kubernetes_prints() {
    for (read, printed) in [
        ("0", "0"),
        ("0n", "0"),
        ("0Ki", "0"),
        ("+5Gi", "5Gi"),
        ("-5Gi", "-5Gi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Gi", "512Mi"),
        ("0.1Ki", "102400m"),
        ("1.1Ki", "1126400m"),
        ("512", "512"),
        ("1Ki", "1Ki"),
        ("1023", "1023"),
        ("0.3Mi", "314572800m"),
        ("100000k", "100M"),
        ("1000000", "1M"),
        ("1500", "1500"),
        ("1.5", "1500m"),
        ("0.001", "1m"),
        ("12e6", "12e6"),
        ("12E6", "12e6"),
        ("1e3", "1e3"),
        ("1e-3", "1e-3"),
        ("100e3", "100e3"),
        ("1e1", "10"),
        ("1e2", "100"),
        ("1E", "1E"),
        ("1.", "1"),
        (".5", "500m"),
        ("00001Ki", "1Ki"),
        // Smaller than a nano-unit: up, away from zero.
        ("1.1n", "2n"),
        ("-1.1n", "-2n"),
        ("1e-12", "1e-9"),
        // Binary quantities are capped at 2^63 - 1.
        ("8Ei", "9223372036854775807"),
        ("16Ei", "9223372036854775807"),
        ("-16Ei", "-9223372036854775807"),
        // Between -1024 and 1024 a binary quantity is printed in powers of a thousand.
        ("0.0009765625Ki", "1"),
        ("1Mi", "1Mi"),
    ] {
        assert_eq!(quantity(read).to_string(), printed, "{read}");
    }
}

#[test]
fn refuses_what_is_no_quantity() {
    for text in [
        "",
        " ",
        "Gi",
        "k",
        "+",
        "-",
        ".",
        "1.5.0",
        "1 Gi",
        "500GB",
        "500gi",
        "1K",
        "1ki",
        "e3",
        "1e",
        "1e+",
        "1ee3",
        "1e1.5",
        "1e3Ki",
        "--1",
        "+-1",
        "0x10",
        "1_000",
        "1,5",
        "NaN",
        "inf",
        "1Kii",
        "٣Gi",
        "1e99999999999",
    ] {
        assert!(
            matches!(Quantity::parse(text), Err(QuantityError::Syntax { .. })),
            "{text:?}: {:?}",
            Quantity::parse(text)
        );
    }
}

#[test]
fn what_cannot_be_counted_is_an_error_not_a_wrong_number() {
    let digits = "9".repeat(40);
    assert!(matches!(
        Quantity::parse(&digits),
        Err(QuantityError::TooLarge(_))
    ));
    assert!(matches!(
        Quantity::parse("1e2147483647").unwrap().to_bytes(),
        Err(QuantityError::TooLarge(_))
    ));
    assert!(matches!(
        Quantity::parse("1.5e-2147483648"),
        Err(QuantityError::TooLarge(_))
    ));
    assert!(matches!(
        quantity("-1").to_bytes(),
        Err(QuantityError::Negative(_))
    ));
    assert!(matches!(
        quantity("100E").to_bytes(),
        Err(QuantityError::TooLarge(_))
    ));
    assert_eq!(
        quantity("18446744073709551615").to_bytes(),
        Ok(Bytes::new(u64::MAX))
    );
}

#[test]
fn bytes_are_rounded_up() {
    for (text, bytes) in [
        ("1m", 1),
        ("1.5", 2),
        ("0.1Ki", 103),
        ("1n", 1),
        ("0", 0),
        ("2", 2),
        ("1500G", 1_500_000_000_000),
    ] {
        assert_eq!(quantity(text).to_bytes(), Ok(Bytes::new(bytes)), "{text}");
    }
}

#[test]
fn order_is_that_of_the_numbers_also_where_they_do_not_fit_one_scale() {
    for (a, b, order) in [
        ("1Gi", "1G", Ordering::Greater),
        ("1024Mi", "1Gi", Ordering::Equal),
        ("1e30", "1n", Ordering::Greater),
        ("1n", "1e30", Ordering::Less),
        ("-1e30", "-1n", Ordering::Less),
        ("-1n", "-1e30", Ordering::Greater),
        ("-1", "1e30", Ordering::Less),
        ("0", "1n", Ordering::Less),
        ("0", "-1n", Ordering::Greater),
        ("0Ki", "0e9", Ordering::Equal),
    ] {
        assert_eq!(quantity(a).cmp(&quantity(b)), order, "{a} {b}");
    }
}

#[test]
fn sums_are_exact_or_nothing() {
    assert_eq!(
        quantity("1Gi").checked_add(quantity("1n")).unwrap().to_string(),
        "1073741824000000001n"
    );
    assert_eq!(
        quantity("1Gi").checked_sub(quantity("2Gi")).unwrap().to_string(),
        "-1Gi"
    );
    assert_eq!(quantity("1e38").checked_add(quantity("1n")), None);
}

/// Texts of the grammar, small enough for the oracle's floating point to be exact.
fn texts() -> impl Strategy<Value = String> {
    let suffix = prop::sample::select(vec![
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E6", "e-3",
        "e+2",
    ]);
    let sign = prop::sample::select(vec!["", "+", "-"]);
    (sign, 0u32..100_000, prop::option::of(0u32..1000), suffix).prop_map(|(sign, whole, fraction, suffix)| {
        let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
        format!("{sign}{whole}{fraction}{suffix}")
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_equal_and_is_printed_alike(text in texts()) {
        let read = quantity(&text);
        let again = quantity(&read.to_string());
        prop_assert_eq!(read, again);
        prop_assert_eq!(read.to_string(), again.to_string());
    }

    /// The oracle orders by a decimal number of its own; it neither rounds to nano-units nor caps, hence the bounds.
    #[test]
    fn order_agrees_with_the_oracle(a in oracle_texts(), b in oracle_texts()) {
        let theirs = ParsedQuantity::try_from(a.as_str()).unwrap().partial_cmp(&ParsedQuantity::try_from(b.as_str()).unwrap());
        prop_assert_eq!(Some(quantity(&a).cmp(&quantity(&b))), theirs, "{} {}", a, b);
    }

    /// Any text, and texts that are nearly right: an error or a quantity, never a panic.
    #[test]
    fn what_is_read_reads_back(text in prop_oneof!["\\PC{0,24}", "[+-]?[0-9.]{0,45}[eEinumkKMGTPiB+-]{0,3}[0-9]{0,12}"]) {
        if let Ok(read) = Quantity::parse(&text) {
            prop_assert_eq!(Quantity::parse(&read.to_string()), Ok(read), "{}", text);
            prop_assert_eq!(read.to_bytes().is_err(), read.signum() < 0 || read > quantity("18446744073709551615"));
        }
    }

    #[test]
    fn bytes_survive_the_way_through_a_quantity(n in 0..=i64::MAX as u64) {
        let size = Bytes::new(n);
        prop_assert_eq!(Quantity::from_bytes(size).to_bytes(), Ok(size));
        prop_assert_eq!(quantity(&Quantity::from_bytes(size).to_string()).to_bytes(), Ok(size));
    }
}

/// What the oracle can hold exactly: no exponent form, no sign doubled, few digits.
fn oracle_texts() -> impl Strategy<Value = String> {
    let suffix = prop::sample::select(vec!["", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]);
    (prop::bool::ANY, 0u32..100_000, suffix)
        .prop_map(|(minus, whole, suffix)| format!("{}{whole}{suffix}", if minus { "-" } else { "" }))
}

/// Where the oracle is wrong, by Kubernetes' own rules. If one of these fails after an update of the oracle,
/// it has been corrected there, and the bounds above can be widened.
mod the_oracle_is_wrong {
    use super::{Format, ParsedQuantity, quantity};

    #[test]
    fn it_accepts_two_signs_and_no_digits() {
        for text in ["--1", "+-1", "Gi"] {
            assert!(ParsedQuantity::try_from(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn it_does_not_print_the_canonical_form() {
        assert_eq!(ParsedQuantity::try_from("1024Mi").unwrap().to_string(), "1024Mi");
        assert_eq!(quantity("1024Mi").to_string(), "1Gi");
    }

    #[test]
    fn it_forgets_the_exponent_format() {
        assert_eq!(ParsedQuantity::try_from("12e6").unwrap().to_string(), "12000000");
        assert_eq!(
            (quantity("12e6").to_string(), quantity("12e6").format()),
            ("12e6".into(), Format::DecimalExponent)
        );
    }

    #[test]
    fn it_reads_through_a_float_and_loses_digits() {
        let text = "9007199254740993";
        assert_ne!(ParsedQuantity::try_from(text).unwrap().to_string(), text);
        assert_eq!(quantity(text).to_string(), text);
    }
}
