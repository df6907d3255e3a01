//! The canonical form of JSON (RFC 8785, JCS).
//!
//! One deviation: integers of up to 64 bits that no double represents exactly are written digit for
//! digit, where JCS would round them. Two events that differ in the last digit of a 64-bit id are
//! two events.

use std::cmp::Ordering;

use crate::json::{Json, Kind, Number};

/// Writes canonical forms and reuses its buffers between values.
#[derive(Debug, Default)]
pub struct Canonical {
    /// Node indices of the members of the objects being written whose names are not in order.
    order: Vec<u32>,
}

impl Canonical {
    /// Appends the canonical form of `value` to `out`.
    pub fn write(&mut self, value: Json<'_>, out: &mut Vec<u8>) {
        self.write_plain(value, out, false);
    }

    /// Like [`write`](Self::write). If `plain` is `true`, no string of `value` may have a character
    /// to escape.
    pub fn write_plain(&mut self, value: Json<'_>, out: &mut Vec<u8>, plain: bool) {
        write_value(value, out, &mut self.order, plain);
    }
}

/// Appends `value` as JavaScript's `JSON.stringify` writes it: no whitespace, members in their
/// order, only the necessary escapes, numbers in their shortest form (ECMA-262, 25.5.2).
pub fn stringify(value: Json<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Kind::Number(number) => write_number(number, out),
        Kind::String(text) => write_string(text, out, false),
        Kind::Array(_) => {
            out.push(b'[');
            for (place, item) in value.items().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                stringify(item, out);
            }
            out.push(b']');
        }
        Kind::Object(_) => {
            out.push(b'{');
            for (place, (name, member)) in value.entries().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_string(name, out, false);
                out.push(b':');
                stringify(member, out);
            }
            out.push(b'}');
        }
    }
}

fn write_value(value: Json<'_>, out: &mut Vec<u8>, order: &mut Vec<u32>, plain: bool) {
    match value.kind() {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool(true) => out.extend_from_slice(b"true"),
        Kind::Bool(false) => out.extend_from_slice(b"false"),
        Kind::Number(number) => write_number(number, out),
        Kind::String(text) => write_string(text, out, plain),
        Kind::Array(_) => {
            out.push(b'[');
            for (place, item) in value.items().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_value(item, out, order, plain);
            }
            out.push(b']');
        }
        Kind::Object(_) => write_object(value, out, order, plain),
    }
}

/// Segment's archives have their names in order, so a check comes before a sort.
fn write_object(value: Json<'_>, out: &mut Vec<u8>, order: &mut Vec<u32>, plain: bool) {
    if !is_ordered(value) {
        return write_unordered(value, out, order, plain);
    }
    out.push(b'{');
    for (place, (key, member)) in value.entries().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_member(key, member, out, order, plain);
    }
    out.push(b'}');
}

/// Returns `true` if the names of an object are in strictly ascending order.
#[inline]
fn is_ordered(value: Json<'_>) -> bool {
    let mut entries = value.entries();
    let Some((mut previous, _)) = entries.next() else { return true };
    entries.all(|(key, _)| {
        let ordered = compare_utf16(previous, key) == Ordering::Less;
        previous = key;
        ordered
    })
}

fn write_unordered(value: Json<'_>, out: &mut Vec<u8>, order: &mut Vec<u32>, plain: bool) {
    let member_at = |place: u32| value.member_at(place);
    let base = order.len();
    order.extend(value.entries().map(|(_, member)| member.place()));
    order[base..]
        .sort_unstable_by(|&a, &b| compare_utf16(member_at(a).0, member_at(b).0).then(a.cmp(&b)));
    out.push(b'{');
    let mut first = true;
    for slot in base..order.len() {
        let (key, member) = member_at(order[slot]);
        let next = order.get(slot + 1).map(|&place| member_at(place));
        if next.is_some_and(|(next, _)| next == key) {
            continue; // of several members with one name the last counts
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_member(key, member, out, order, plain);
    }
    order.truncate(base);
    out.push(b'}');
}

#[inline]
fn write_member(key: &str, value: Json<'_>, out: &mut Vec<u8>, order: &mut Vec<u32>, plain: bool) {
    write_string(key, out, plain);
    out.push(b':');
    write_value(value, out, order, plain);
}

/// Compares names in the order of RFC 8785: by UTF-16 code units. It differs from the byte order
/// only if a character past U+FFFF meets one from U+E000 to U+FFFF.
#[inline]
pub(crate) fn compare_utf16(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    match a.iter().zip(b).find(|(x, y)| x != y) {
        Some((&(0xF0..), &(0xEE | 0xEF))) => Ordering::Less,
        Some((&(0xEE | 0xEF), &(0xF0..))) => Ordering::Greater,
        Some((x, y)) => x.cmp(y),
        None => a.len().cmp(&b.len()),
    }
}

/// Appends a number as ECMAScript writes it as a double; an integer that no double represents
/// exactly is written digit for digit.
#[inline]
pub fn write_number(number: Number, out: &mut Vec<u8>) {
    /// Every integer up to this one is exact as a double, and is written with all its digits.
    const EXACT: u64 = 1 << 53;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // the casts find out whether the double is exact
    match number {
        Number::Int(value) if value.unsigned_abs() <= EXACT => write_integer(value, out),
        Number::Int(value) => match value as f64 {
            float if float as i128 == i128::from(value) => write_float(float, out),
            _ => write_integer(value, out),
        },
        Number::Uint(value) => match value as f64 {
            float if float as u128 == u128::from(value) => write_float(float, out),
            _ => write_integer(value, out),
        },
        Number::Float(value) => write_float(value, out),
    }
}

/// Appends an integer digit for digit.
#[inline]
pub fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_float(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu_js::Buffer::new().format(value).as_bytes());
}

/// Appends a JSON string with the escapes of RFC 8785. If `plain` is `true`, `text` may have no
/// character to escape.
#[inline]
pub fn write_string(text: &str, out: &mut Vec<u8>, plain: bool) {
    out.push(b'"');
    if plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_escaped(text, out);
    }
    out.push(b'"');
}

fn write_escaped(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (place, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0x00..0x20 => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..place]);
        copied = place + 1;
        if short == 0 {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        with_json(text, |json| Canonical::default().write(json, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_sorted_by_utf16_and_the_last_of_two_stays() {
        assert_eq!(
            canonical(r#"{"b":1,"a":{"d":[{"z":0,"y":1}],"c":2}}"#),
            r#"{"a":{"c":2,"d":[{"y":1,"z":0}]},"b":1}"#
        );
        assert_eq!(canonical(r#"{"b":1,"a":2,"b":3}"#), r#"{"a":2,"b":3}"#);
        assert_eq!(canonical(r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
        // the example of RFC 8785, section 3.2.3
        assert_eq!(
            canonical(
                "{\"\u{20ac}\":1,\"\\r\":2,\"\u{fb33}\":3,\"1\":4,\"\u{1f600}\":5,\"\u{80}\":6,\"\u{f6}\":7}"
            ),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does_but_integers_that_no_double_holds_digit_for_digit() {
        for (text, expected) in [
            ("1.0", "1"),
            ("-0.0", "0"),
            ("-0", "0"),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("0.1", "0.1"),
            ("5e-324", "5e-324"),
            ("1e-7", "1e-7"),
            ("0.000001", "0.000001"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775807", "-9223372036854775807"),
            ("1152921504606846976", "1152921504606847000"),
            ("18446744073709551616", "18446744073709552000"),
        ] {
            assert_eq!(canonical(&format!("[{text}]")), format!("[{expected}]"));
        }
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        assert_eq!(
            canonical(r#"["\u20ac$\u000f\nA'B\"\\\\\"\/\u007f\u0008\t\f\r"]"#),
            "[\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\\b\\t\\f\\r\"]"
        );
    }

    #[test]
    fn disorder_at_every_depth_is_sorted_without_repeating_work() {
        let depth = 100; // work that doubled with each level would never end
        let text = format!("{}1{}", r#"{"b":0,"a":"#.repeat(depth), "}".repeat(depth));
        let sorted = format!("{}1{}", r#"{"a":"#.repeat(depth), r#","b":0}"#.repeat(depth));
        assert_eq!(canonical(&text), sorted);
    }

    proptest! {
        #[test]
        fn canonical_forms_read_back_as_themselves(text in ".*", number in any::<f64>()) {
            let source = serde_json::json!({ "z": text, "a": [number], &text: { "b": null } });
            let once = canonical(&source.to_string());
            prop_assert_eq!(canonical(&once), once);
        }

        #[test]
        fn names_compare_as_their_utf16(a in ".*", b in ".*") {
            let expected = a.encode_utf16().cmp(b.encode_utf16());
            prop_assert_eq!(compare_utf16(&a, &b), expected);
        }
    }
}
