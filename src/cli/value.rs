//! Parsers for values of arguments.

use crate::emit::Crm;
use crate::jobs::run::MaxRejects;

/// Returns the CRM with a name that clap has already validated.
pub fn crm(name: impl AsRef<str>) -> Crm {
    let named = Crm::ALL.into_iter().find(|crm| crm.name() == name.as_ref());
    named.unwrap_or(Crm::HubSpot)
}

/// The maximum length of a record that may be requested, in bytes.
const LARGEST_RECORD: u64 = 2 << 30;

/// Parses a number of records, or a percentage of them with `%`.
///
/// # Errors
/// Returns a message about the expected format.
pub fn max_rejects(text: &str) -> Result<MaxRejects, String> {
    let parsed = match text.strip_suffix('%') {
        Some(share) => {
            let share = share.trim_end().parse().ok();
            share.filter(|share| (0.0..=100.0).contains(share)).map(MaxRejects::Percent)
        }
        None => text.parse().ok().map(MaxRejects::Count),
    };
    parsed.ok_or_else(|| "expected a number such as 100 or a share such as 0.5%".into())
}

/// Parses a size in bytes with an optional unit: `kB`, `MB`, `GB`, `TB` are powers of 1000; `KiB`,
/// `MiB`, `GiB`, `TiB` and single letters are powers of 1024. Case does not matter.
///
/// # Errors
/// Returns a message about the expected format.
pub fn size(text: &str) -> Result<u64, String> {
    let unit_at = text.find(|char: char| !matches!(char, '0'..='9' | '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = match unit.as_str() {
        "" | "b" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        _ => None,
    };
    factor
        .and_then(|factor| scaled(number, factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a size such as 512MiB, 1.5GB or 65536".into())
}

/// Returns `number`, which may have a fraction, times `factor` in whole bytes, rounded down.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    // Nine digits are finer than a byte of any size that present-day computers can hold.
    let digits = fraction.get(..fraction.len().min(9))?;
    let scale = 10_u128.pow(u32::try_from(digits.len()).ok()?);
    let part = u128::from(digits.parse::<u64>().ok()?) * u128::from(factor) / scale;
    whole.checked_add(u64::try_from(part).ok()?)
}

/// Parses a [`size`] that is allowed for records.
///
/// # Errors
/// Returns a message about the expected format.
pub fn record_size(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes > LARGEST_RECORD {
        return Err("a record has at most 2GiB".into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1024", 1024),
            ("1b", 1),
            ("8MiB", 8 << 20),
            ("8m", 8 << 20),
            ("512 MiB", 512 << 20),
            ("500kB", 500_000),
            ("2GB", 2_000_000_000),
            ("2gib", 2 << 30),
            ("3TiB", 3 << 40),
            ("1.5GB", 1_500_000_000),
            ("0.5KiB", 512),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in
            ["", "MiB", "-1", "0", "0.0001k", "1.2.3", "1.", ".", "1x", "1bb", "1kmb", "1µB", "1e3"]
        {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("99999999999999999999").is_err());
        assert!(size("99999999TiB").is_err());
        assert_eq!(record_size("2GiB"), Ok(2 << 30));
        assert!(record_size("3GiB").is_err());
    }

    #[test]
    fn rejects_are_limited_by_number_or_share() {
        assert_eq!(max_rejects("10"), Ok(MaxRejects::Count(10)));
        assert_eq!(max_rejects("0"), Ok(MaxRejects::Count(0)));
        assert_eq!(max_rejects("0.5%"), Ok(MaxRejects::Percent(0.5)));
        assert_eq!(max_rejects("100 %"), Ok(MaxRejects::Percent(100.0)));
        for text in ["", "%", "-1", "1.5", "101%", "-1%", "NaN%", "inf%", "many"] {
            assert!(max_rejects(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in ".*") {
            let _ = (size(&text), record_size(&text), max_rejects(&text));
        }

        #[test]
        fn plain_numbers_are_bytes(bytes in 1_u64..) {
            prop_assert_eq!(size(&bytes.to_string()), Ok(bytes));
        }
    }
}
