//! Numbers: literals, exact comparison, and conversion to and from text.

use std::cmp::Ordering;

use crate::json::Number;

/// Parses a number literal: an optional sign, digits, and optionally a point and digits. Integers
/// of up to 64 bits are exact.
pub(super) fn parse_literal(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    parse_any(text)
}

/// Parses a string as `number()` does: surrounding whitespace is ignored, and an exponent is
/// allowed.
pub(super) fn parse_text(text: &str) -> Option<Number> {
    let text = text.trim();
    // The standard parser also accepts words such as `inf`.
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.bytes().all(plain) { parse_any(text) } else { None }
}

fn parse_any(text: &str) -> Option<Number> {
    if let Ok(int) = text.parse() {
        return Some(Number::Int(int));
    }
    if let Ok(uint) = text.parse() {
        return Some(Number::Uint(uint));
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float)
}

/// Compares two numbers by their exact values. Returns `None` if one is not a number.
#[inline]
pub(super) fn compare(left: Number, right: Number) -> Option<Ordering> {
    match (integer(left), integer(right)) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        (Ok(left), Err(right)) => compare_mixed(left, right),
        (Err(left), Ok(right)) => compare_mixed(right, left).map(Ordering::reverse),
        (Err(left), Err(right)) => left.partial_cmp(&right),
    }
}

/// Returns `true` if two numbers are equal, such as `1` and `1.0`.
#[inline]
pub(super) fn equal(left: Number, right: Number) -> bool {
    compare(left, right) == Some(Ordering::Equal)
}

pub(super) fn is_zero(number: Number) -> bool {
    equal(number, Number::Int(0))
}

fn integer(number: Number) -> Result<i128, f64> {
    match number {
        Number::Int(int) => Ok(int.into()),
        Number::Uint(uint) => Ok(uint.into()),
        Number::Float(float) => Err(float),
    }
}

/// Compares an integer with a double without rounding the integer.
fn compare_mixed(int: i128, float: f64) -> Option<Ordering> {
    // The cast saturates far outside the 64 bits of the integer, so the order is correct.
    #[allow(clippy::cast_possible_truncation)]
    let whole = float.trunc() as i128;
    match int.cmp(&whole) {
        _ if float.is_nan() => None,
        Ordering::Equal => 0.0.partial_cmp(&float.fract()),
        order => Some(order),
    }
}

/// Formats a number in its canonical JSON form (RFC 8785): the shortest digits that parse to the
/// same double.
pub(super) fn to_text(number: Number) -> String {
    match number {
        Number::Int(int) => int.to_string(),
        Number::Uint(uint) => uint.to_string(),
        Number::Float(0.0) => "0".to_owned(),
        Number::Float(float) if (1e-6..1e21).contains(&float.abs()) => float.to_string(),
        Number::Float(float) => {
            let text = format!("{float:e}");
            if text.contains("e-") { text } else { text.replace('e', "e+") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Number::{Float, Int, Uint};

    #[test]
    fn literals_are_digits_with_a_sign_and_a_fraction() {
        assert!(matches!(parse_literal("42"), Some(Int(42))));
        assert!(matches!(parse_literal("-7"), Some(Int(-7))));
        assert!(matches!(parse_literal("+7"), Some(Int(7))));
        assert!(matches!(parse_literal("1.50"), Some(Float(1.5))));
        assert!(matches!(parse_literal("18446744073709551615"), Some(Uint(u64::MAX))));
        assert!(matches!(parse_literal("18446744073709551616"), Some(Float(_))));
        for text in ["", "-", ".5", "5.", "1e5", "0x1", "--1", "1.2.3", "inf", "1 "] {
            assert!(parse_literal(text).is_none(), "{text}");
        }
    }

    #[test]
    fn strings_give_numbers_with_exponents_too() {
        assert!(matches!(parse_text(" 12 "), Some(Int(12))));
        assert!(matches!(parse_text("1e3"), Some(Float(1000.0))));
        for text in ["", "abc", "inf", "NaN", "1e999", "12px", "1,000"] {
            assert!(parse_text(text).is_none(), "{text}");
        }
    }

    #[test]
    fn comparisons_are_exact() {
        let order = |a, b| compare(a, b).unwrap();
        assert_eq!(order(Int(1), Float(1.0)), Ordering::Equal);
        assert_eq!(order(Int(1), Float(1.5)), Ordering::Less);
        assert_eq!(order(Int(-1), Float(-1.5)), Ordering::Greater);
        assert_eq!(order(Int(i64::MAX), Uint(1 << 63)), Ordering::Less);
        assert_eq!(
            order(Int(9_007_199_254_740_993), Int(9_007_199_254_740_992)),
            Ordering::Greater
        );
        assert_eq!(
            order(Int(9_007_199_254_740_993), Float(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
        assert_eq!(order(Uint(u64::MAX), Float(18_446_744_073_709_551_616.0)), Ordering::Less);
        assert_eq!(order(Int(5), Float(1e300)), Ordering::Less);
        assert_eq!(order(Float(-1e300), Int(5)), Ordering::Less);
        assert_eq!(order(Float(-0.0), Int(0)), Ordering::Equal);
        assert_eq!(compare(Int(0), Float(f64::NAN)), None);
    }

    #[test]
    fn text_is_canonical_json() {
        let text = |float| to_text(Float(float));
        assert_eq!(text(1.0), "1");
        assert_eq!(text(-0.5), "-0.5");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(1e20), "100000000000000000000");
        assert_eq!(text(1e21), "1e+21");
        assert_eq!(text(1.5e-7), "1.5e-7");
        assert_eq!(text(1e-6), "0.000001");
        assert_eq!(to_text(Uint(u64::MAX)), "18446744073709551615");
    }
}
