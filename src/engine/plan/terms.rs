//! What a plan allows.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{Calendar, Every};

/// The limits of a plan and the calendar they count by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The plan's name.
    pub name: Option<String>,
    /// Raw signals in a period; `None` is unlimited.
    pub raw_signals: Option<u64>,
    /// Leads with a signal in a period; `None` is unlimited.
    pub active_leads: Option<u64>,
    /// Where periods begin.
    pub calendar: Calendar,
}

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {name:?}")]
pub struct UnknownZone {
    /// The name that was asked for.
    pub name: String,
    /// The time zone with the most similar name, if one is similar.
    pub nearest: Option<String>,
}

impl Terms {
    /// Terms as a rules file writes them: 0 is unlimited, `timezone` is an IANA name. The zones
    /// are those compiled in, so that every machine gives the same answer.
    ///
    /// # Errors
    ///
    /// When there is no zone of that name.
    pub fn new(
        name: Option<String>,
        raw_signals: u64,
        active_leads: u64,
        every: Every,
        timezone: &str,
    ) -> Result<Self, UnknownZone> {
        let zone = TimeZoneDatabase::bundled()
            .get(timezone)
            .ok()
            .filter(|zone| !zone.is_unknown())
            .ok_or_else(|| UnknownZone { name: timezone.to_owned(), nearest: nearest(timezone) })?;
        let limit = |count: u64| (count > 0).then_some(count);
        Ok(Self {
            name,
            raw_signals: limit(raw_signals),
            active_leads: limit(active_leads),
            calendar: Calendar::new(zone, every),
        })
    }
}

impl Default for Terms {
    /// No limits, by months in UTC.
    fn default() -> Self {
        let calendar = Calendar::new(TimeZone::UTC, Every::Month);
        Self { name: None, raw_signals: None, active_leads: None, calendar }
    }
}

/// The zone whose name takes the fewest edits to reach from `name`, three at most.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    TimeZoneDatabase::bundled()
        .available()
        .map(|zone| {
            let distance =
                strsim::damerau_levenshtein(&wanted, &zone.as_str().to_ascii_lowercase());
            (distance, zone.as_str().to_owned())
        })
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, zone)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(timezone: &str) -> Result<Terms, UnknownZone> {
        Terms::new(None, 0, 5, Every::Day, timezone)
    }

    #[test]
    fn zero_is_unlimited() {
        let terms = terms("UTC").unwrap();
        assert_eq!((terms.raw_signals, terms.active_leads), (None, Some(5)));
    }

    #[test]
    fn zones_go_by_their_iana_names() {
        for (written, known_as) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("utc", "UTC"),
            ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ] {
            assert_eq!(terms(written).unwrap().calendar.timezone(), known_as);
        }
    }

    #[test]
    fn an_unknown_zone_is_an_error_that_names_the_nearest() {
        let error = terms("Europe/Berln").unwrap_err();
        assert_eq!(error.to_string(), "unknown time zone \"Europe/Berln\"");
        assert_eq!(error.nearest.as_deref(), Some("Europe/Berlin"));
        for name in ["", "Mars/Olympus_Mons", "Etc/Unknown", "+02:00", "../UTC"] {
            assert_eq!(terms(name).unwrap_err().name, name);
        }
        assert_eq!(terms("Mars/Olympus_Mons").unwrap_err().nearest, None);
    }
}
