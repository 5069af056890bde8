//! Text to quantity and back.
//!
//! Not arithmetic: that is the parent module's.

use std::fmt;

use super::{Format, Quantity, QuantityError, power_of_ten};

/// Power of two of each binary suffix.
const BINARY: [(&str, u32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];
/// Power of ten of each decimal suffix.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// What a suffix multiplies by.
enum Scale {
    Ten(i32, Format),
    Two(u32),
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let syntax = || QuantityError::syntax(text);
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, rest) = digits(rest);
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(syntax());
    }
    let scale = scale(suffix).ok_or_else(syntax)?;
    let too_large = || QuantityError::TooLarge(text.to_owned());
    // Zeros at either end say nothing, and must not count towards the number of digits that fit.
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let short = significant.trim_end_matches('0');
    let mantissa: i128 = if short.is_empty() {
        0
    } else {
        short.parse().map_err(|_| too_large())?
    };
    let places = i32::try_from(fraction.len()).map_err(|_| too_large())?;
    let dropped = i32::try_from(significant.len() - short.len()).map_err(|_| too_large())?;
    let point = dropped - places;
    let quantity = match scale {
        Scale::Ten(power, format) => {
            let exponent = power.checked_add(point).ok_or_else(too_large)?;
            Quantity {
                mantissa,
                exponent,
                format,
            }
        }
        Scale::Two(power) => Quantity {
            mantissa: mantissa.checked_mul(1 << power).ok_or_else(too_large)?,
            exponent: point,
            format: Format::BinarySi,
        },
    };
    as_kubernetes_keeps_it(quantity, negative).ok_or_else(too_large)
}

/// Rounds parts below a nano-unit up, caps a binary quantity, and gives the sign back. The text had no sign
/// so far: both act on the magnitude.
fn as_kubernetes_keeps_it(mut quantity: Quantity, negative: bool) -> Option<Quantity> {
    if quantity.exponent < Quantity::NANO {
        quantity.mantissa = quantity.at_scale(Quantity::NANO)?;
        quantity.exponent = Quantity::NANO;
    }
    if quantity.format == Format::BinarySi {
        let cap = Quantity {
            mantissa: Quantity::BINARY_MAX,
            exponent: 0,
            format: Format::BinarySi,
        };
        quantity = quantity.min(cap);
        if quantity.at_scale(0)? == 1
            && quantity
                != (Quantity {
                    mantissa: 1,
                    exponent: 0,
                    ..quantity
                })
        {
            quantity.format = Format::DecimalSi;
        }
    }
    if negative {
        quantity.mantissa = -quantity.mantissa;
    }
    Some(quantity.reduced())
}

/// The leading ASCII digits, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn scale(suffix: &str) -> Option<Scale> {
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some(Scale::Two(*power));
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some(Scale::Ten(*power, Format::DecimalSi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_number = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
    let power = exponent.parse().ok().filter(|_| is_number)?;
    Some(Scale::Ten(power, Format::DecimalExponent))
}

/// Kubernetes' canonical form: no fraction, the largest suffix that is exact.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&canonical(*self))
    }
}

fn canonical(quantity: Quantity) -> String {
    if quantity.mantissa == 0 {
        return "0".to_owned();
    }
    if quantity.format == Format::BinarySi
        && let Some(text) = binary(quantity)
    {
        return text;
    }
    // The exponent goes down to a multiple of three, the mantissa up by as much.
    let up = quantity.exponent.rem_euclid(3);
    let exponent = quantity.exponent - up;
    let Some(mantissa) = power_of_ten(up).and_then(|ten| quantity.mantissa.checked_mul(ten)) else {
        return format!("{}e{}", quantity.mantissa, quantity.exponent);
    };
    let suffix = DECIMAL
        .iter()
        .find(|(_, power)| *power == exponent)
        .map(|(name, _)| *name);
    match (quantity.format, suffix) {
        (_, _) if exponent == 0 => mantissa.to_string(),
        (Format::DecimalExponent, _) | (_, None) => format!("{mantissa}e{exponent}"),
        (_, Some(name)) => format!("{mantissa}{name}"),
    }
}

/// With a binary suffix: only whole numbers, and none between -1024 and 1024.
fn binary(quantity: Quantity) -> Option<String> {
    let whole = quantity.at_scale(0).filter(|whole| whole.abs() >= 1024)?;
    if quantity.exponent < 0 {
        return None;
    }
    let mut number = whole;
    let mut suffix = "";
    for (name, _) in BINARY {
        if number % 1024 != 0 {
            break;
        }
        number /= 1024;
        suffix = name;
    }
    Some(format!("{number}{suffix}"))
}
