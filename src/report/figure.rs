//! Formats figures for people.

use crate::diagnostic::clean;

/// Formats a count with separators, such as `1,234,567`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a signed number with separators, such as `-1,234`.
pub fn signed(number: i64) -> String {
    let digits = thousands(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

/// Formats a count with its noun, such as `1 event` or `1,234 events`.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { more })
}

/// Formats a share, such as `12.3 %`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth of a percent
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}

/// Formats a size, such as `1.2 MB`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Returns the display name of an event: its masked name, or its call if it has no name.
pub fn called(call: &str, event: &str) -> String {
    match (call, event) {
        ("track", "") => "(track without a name)".into(),
        ("track", name) => clean(name),
        (_, "") => format!("{call} calls"),
        (_, name) => clean(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_have_units() {
        assert_eq!((thousands(999), thousands(1_234_567)), ("999".into(), "1,234,567".into()));
        assert_eq!(
            (counted(1, "lead", "leads"), counted(2, "lead", "leads")),
            ("1 lead".into(), "2 leads".into())
        );
        assert_eq!((percent(1, 8), percent(1, 0)), ("12.5 %".into(), "–".into()));
        assert_eq!((bytes(999), bytes(1_234_000)), ("999 B".into(), "1.2 MB".into()));
    }
}
