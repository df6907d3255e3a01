//! Time zones by IANA name, from the bundled database, so that every machine gives the same
//! results.

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Returns the time zone named `name`.
pub fn named(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

/// Returns the name of the zone with the smallest edit distance to `name`, at most 3.
pub fn nearest(name: &str) -> Option<String> {
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

    #[test]
    fn zones_go_by_their_iana_names() {
        for (written, known_as) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("utc", "UTC"),
            ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ] {
            assert_eq!(named(written).unwrap().iana_name(), Some(known_as));
        }
    }

    #[test]
    fn an_unknown_name_has_no_zone_and_at_most_a_similar_one() {
        for name in ["", "Mars/Olympus_Mons", "Etc/Unknown", "+02:00", "../UTC", "Europe/Berln"] {
            assert_eq!(named(name), None);
        }
        assert_eq!(nearest("Europe/Berln").as_deref(), Some("Europe/Berlin"));
        assert_eq!(nearest("Mars/Olympus_Mons"), None);
    }
}
