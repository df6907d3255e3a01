//! Figures as people read them.

use crate::diagnostic::clean;

/// `1,234,567`.
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

/// `-1,234`.
pub fn signed(number: i64) -> String {
    let digits = thousands(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

/// `1 event`, `1,234 events`.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { more })
}

/// `12.3 %`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth of a percent
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}

/// `1.2 MB`.
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

/// What an event is called: by its name, without addresses, or by its call where it has none.
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
