//! The scale of a chart: its upper end and its labels.

/// Returns the smallest round number not below `most`, at least 2.
pub fn round_up(most: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for factor in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0] {
            let end = power * factor;
            if end >= most && end >= 2.0 {
                return end;
            }
        }
        power *= 10.0;
    }
}

/// Formats a label of the scale, such as `1,200`, `45k` or `1.5M`.
pub fn figure(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e4 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match text.split_at_checked(text.len().saturating_sub(3)) {
        Some((thousands, rest)) if !thousands.is_empty() && !text.contains('.') => {
            format!("{thousands},{rest}{unit}")
        }
        _ => format!("{text}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, end) in [
            (0.0, 2.0),
            (1.0, 2.0),
            (2.5, 3.0),
            (9.0, 10.0),
            (37.0, 40.0),
            (61.0, 80.0),
            (1e6, 1e6),
        ] {
            assert!((round_up(most) - end).abs() < 1e-9, "{most}: {}", round_up(most));
        }
    }

    #[test]
    fn figures_are_short() {
        let shown = [0.0, 1.5, 950.0, 1_200.0, 45_000.0, 1_500_000.0, 2e9].map(figure);
        assert_eq!(shown, ["0", "1.5", "950", "1,200", "45k", "1.5M", "2G"]);
    }
}
