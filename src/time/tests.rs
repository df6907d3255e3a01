use super::*;
use crate::json::document::with_json;
use proptest::prelude::*;

fn read(text: &str) -> Option<String> {
    Time::parse(text.as_bytes()).map(|time| time.to_string())
}

fn read_json(json: &str) -> Option<String> {
    with_json(json, |json| Time::from_json(json).map(|time| time.to_string()))
}

#[track_caller]
fn assert_all_read(texts: &[(&str, &str)]) {
    for &(text, expected) in texts {
        assert_eq!(read(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn reads_what_rfc_3339_allows() {
    assert_all_read(&[
        ("2025-07-01T00:00:34.985Z", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01t00:00:34.985z", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01 00:00:34Z", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T02:00:34.9+02:00", "2025-07-01T00:00:34.900Z"),
        ("2025-06-30T18:30:34.123456789-05:30", "2025-07-01T00:00:34.123Z"),
        ("2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ]);
}

#[test]
fn reads_the_rest_of_iso_8601() {
    assert_all_read(&[
        ("2025-07-01T02:00:34+0200", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T02:00:34.985+02", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01T00:00:34,985Z", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01T00:00:34.12345678901234Z", "2025-07-01T00:00:34.123Z"),
        ("2025-07-01T00:00Z", "2025-07-01T00:00:00.000Z"),
        ("2025-07-01 00:00+0200", "2025-06-30T22:00:00.000Z"),
        ("2025-07-01T24:00:00Z", "2025-07-02T00:00:00.000Z"),
        ("2025-12-31T24:00", "2026-01-01T00:00:00.000Z"),
        ("20250701T000034Z", "2025-07-01T00:00:34.000Z"),
        ("20250701T000034.985+0200", "2025-06-30T22:00:34.985Z"),
        ("20250701T1234", "2025-07-01T12:34:00.000Z"),
        ("2025-07-01", "2025-07-01T00:00:00.000Z"),
        ("20250701", "2025-07-01T00:00:00.000Z"),
    ]);
}

#[test]
fn reads_what_sdks_and_warehouses_write() {
    assert_all_read(&[
        // Python, Ruby, Go, BigQuery, Postgres, Java
        ("2025-07-01T00:00:34.985123", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01T00:00:34.985123+00:00", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01 02:00:34 +0200", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01 02:00:34.98512 +0200 CEST", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01 00:00:34.985 UTC", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01 00:00:34.985+00", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01T02:00:34+02:00[Europe/Berlin]", "2025-07-01T00:00:34.000Z"),
        ("2024-09-10T14:38:57.524122374Z[GMT]", "2024-09-10T14:38:57.524Z"),
        ("2025-07-01T02:00:34[Europe/Berlin]", "2025-07-01T00:00:34.000Z"),
        ("2025/07/01 00:00:34", "2025-07-01T00:00:34.000Z"),
        ("2025.07.01 00:00", "2025-07-01T00:00:00.000Z"),
        ("2025-7-1T00:30:12.984Z", "2025-07-01T00:30:12.984Z"),
        ("  2025-07-01T00:00:34Z\n", "2025-07-01T00:00:34.000Z"),
        ("20250701000034", "2025-07-01T00:00:34.000Z"),
        ("/Date(1751328034985)/", "2025-07-01T00:00:34.985Z"),
        ("/Date(1751328034985+0200)/", "2025-07-01T00:00:34.985Z"),
    ]);
}

#[test]
fn reads_what_form_decoders_leave_of_an_offset() {
    assert_all_read(&[
        ("2025-07-01T02:00:34 02:00", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T02:00:34 0200", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T02:00:34%2B02:00", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T00%3A00%3A34Z", "2025-07-01T00:00:34.000Z"),
        ("2025-07-01T05:30:34.98505:30", "2025-07-01T00:00:34.985Z"),
        ("2025-07-01T00: 00: 34.985Z", "2025-07-01T00:00:34.985Z"),
    ]);
}

#[test]
fn reads_times_that_name_their_month() {
    assert_all_read(&[
        ("Tue, 01 Jul 2025 00:00:34 GMT", "2025-07-01T00:00:34.000Z"),
        ("Tue, 1 Jul 2025 02:00:34 +0200", "2025-07-01T00:00:34.000Z"),
        ("1 Jul 2025 00:00 EST", "2025-07-01T05:00:00.000Z"),
        (
            "Tue Jul 01 2025 02:00:34 GMT+0200 (Mitteleuropäische Sommerzeit)",
            "2025-07-01T00:00:34.000Z",
        ),
        ("Tue Jul 01 00:00:34 UTC 2025", "2025-07-01T00:00:34.000Z"),
        ("Tue Jul  1 00:00:34 2025", "2025-07-01T00:00:34.000Z"),
        ("Tue Jul 01 02:00:34 +0200 2025", "2025-07-01T00:00:34.000Z"),
        ("01/Jul/2025:02:00:34 +0200", "2025-07-01T00:00:34.000Z"),
        ("July 1, 2025 12:30 AM", "2025-07-01T00:30:00.000Z"),
        ("Jul 1st, 2025 at 12:30:05.5 pm", "2025-07-01T12:30:05.500Z"),
        ("Jul 1, 2025, 3:00:34\u{202f}PM", "2025-07-01T15:00:34.000Z"),
        ("01-Jul-2025 00:00:34", "2025-07-01T00:00:34.000Z"),
        ("July 1, 2025", "2025-07-01T00:00:00.000Z"),
    ]);
}

#[test]
fn refuses_what_is_no_time_or_may_be_several() {
    for text in [
        "",
        "now",
        "0000-00-00T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2025-07-01T24:00:01Z",
        "2025-07-01T25:00:00Z",
        "2025-07-01T00:00:34.Z",
        "10000-01-01T00:00:00Z",
        "2025-07-01T00:00:34ZZ",
        "2025-07-01T00:00:34+2:00",
        "2025-07-01T00:00:34 CET",
        "2025-07-01T00:00:34[Middle/Earth]",
        "9999-12-31T23:59:59.999-00:01",
        "3/1/2025",
        "01/03/2025 10:00",
        "3/1/2025, 10:00:00 AM",
        "01-03-2025",
        "2025-07",
        "2015-09-15T10:06:21 am+0400",
        "٢٠١٥-١١-١٧T٠٨:١٢:١٠+0800",
        "2024-06-ThT03:53:33.917+00:00",
        "Tue Jul 01 00:00:34 IST 2025",
        "Tue Jul 01 00:00:34 CST 2025",
        "July 1, 2025 13:00 PM",
        "1 Jul 25",
        "Jul Aug 1 2025",
        "-1",
        "1e9",
        "/Date(x)/",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&format!("2025-07-01{}", " ".repeat(200))), None);
}

#[test]
fn an_offset_without_hours_behind_whole_seconds_is_no_time() {
    for text in ["2025-07-1T00:00:3:00", "2025-07-01T00:00:34:30", "2025-07-01T0000:30"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_text_without_an_offset_is_told() {
    let zone = |text: &str| Stamp::parse(text.as_bytes()).unwrap().zone;
    for text in ["2025-07-01", "2025-07-01 00:00:34.985123", "July 1, 2025 10:00 AM"] {
        assert_eq!(zone(text), Zone::Assumed, "{text}");
    }
    for text in ["2025-07-01T00:00:34.985Z", "2025-07-01 00:00:34 UTC", "1751328034"] {
        assert_eq!(zone(text), Zone::Stated, "{text}");
    }
}

#[test]
fn epoch_numbers_tell_their_unit_by_their_size() {
    for (json, expected) in [
        ("1751328034", "2025-07-01T00:00:34.000Z"),
        ("1751328034985", "2025-07-01T00:00:34.985Z"),
        ("1751328034985123", "2025-07-01T00:00:34.985Z"),
        ("1751328034985123456", "2025-07-01T00:00:34.985Z"),
        ("1751328034.985", "2025-07-01T00:00:34.985Z"),
        ("1751328034985.9", "2025-07-01T00:00:34.985Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
        ("\"1751328034\"", "2025-07-01T00:00:34.000Z"),
        ("\"1751328034.985\"", "2025-07-01T00:00:34.985Z"),
        ("\"1751328034985\"", "2025-07-01T00:00:34.985Z"),
        ("\"1751328034985123456\"", "2025-07-01T00:00:34.985Z"),
    ] {
        assert_eq!(read_json(json).as_deref(), Some(expected), "{json}");
    }
    for json in ["1e300", "18446744073709551615", "99999999999999999999999"] {
        assert_eq!(read_json(json), None, "{json}");
    }
}

#[test]
fn reads_the_objects_that_databases_make_of_times() {
    for json in [
        r#"{"$date": "2025-07-01T00:00:34Z"}"#,
        r#"{"$date": 1751328034000}"#,
        r#"{"$date": {"$numberLong": "1751328034000"}}"#,
        r#"{"$timestamp": {"t": 1751328034, "i": 1}}"#,
        r#"{"seconds": 1751328034, "nanoseconds": 0}"#,
        r#"{"_seconds": 1751328034, "_nanoseconds": 0}"#,
        r#"{"seconds": "1751328034", "nanos": 0}"#,
        r#"{"seconds": "1751328034"}"#,
        r#"{"value": "2025-07-01T00:00:34Z"}"#,
        r#"{"__type": "Date", "iso": "2025-07-01T00:00:34.000Z"}"#,
    ] {
        assert_eq!(read_json(json).as_deref(), Some("2025-07-01T00:00:34.000Z"), "{json}");
    }
    for json in [
        "[2025, 7, 1, 0, 0, 34]",
        "true",
        "{}",
        r#"{"$date": {"$date": {"$date": 1751328034000}}}"#,
        r#"{"minutes": 3}"#,
        r#"{"seconds": 9223372036854775807, "nanos": 0}"#,
    ] {
        assert_eq!(read_json(json), None, "{json}");
    }
}

#[test]
fn a_missing_time_sorts_first_and_writes_nothing() {
    assert!(Time::MISSING < Time::parse(b"0000-01-01T00:00:00Z").unwrap());
    assert_eq!(Time::MISSING.to_string(), "");
}

#[test]
fn only_the_years_of_web_analytics_are_plausible() {
    let plausible = |text: &str| Time::parse(text.as_bytes()).unwrap().is_plausible();
    assert!(plausible("2005-01-01T00:00:00Z") && plausible("2099-12-31T23:59:59.999Z"));
    for text in ["2004-12-31T23:59:59.999Z", "2100-01-01", "1970-01-01", "0027-06-27T08:23:48Z"] {
        assert!(!plausible(text), "{text}");
    }
    assert!(Time::MISSING.is_plausible());
}

proptest! {
    #[test]
    fn what_is_written_reads_back(millis in FIRST_MS..=LAST_MS) {
        let time = Time::from_millis(millis).unwrap();
        prop_assert_eq!(Time::parse(time.to_string().as_bytes()), Some(time));
    }

    #[test]
    fn agrees_with_another_implementation(millis in FIRST_MS + DAY_MS..=LAST_MS - DAY_MS) {
        let other = jiff::Timestamp::from_millisecond(millis).unwrap();
        let text = Time::from_millis(millis).unwrap().to_string();
        prop_assert_eq!(text.parse::<jiff::Timestamp>().unwrap(), other);
    }

    #[test]
    fn every_form_of_a_moment_is_that_moment(
        seconds in PLAUSIBLE_FROM_MS / 1000..PLAUSIBLE_BEFORE_MS / 1000,
        hours_east in -12_i64..=14,
    ) {
        let time = Time::from_millis(seconds * 1000).unwrap();
        let offset = jiff::tz::Offset::from_hours(i8::try_from(hours_east).unwrap()).unwrap();
        let at = jiff::Timestamp::from_second(seconds).unwrap().to_zoned_datetime(offset.to_time_zone());
        for format in [
            "%Y-%m-%dT%H:%M:%S%:z",
            "%Y-%m-%d %H:%M:%S%z",
            "%Y-%m-%d %H:%M:%S.000000 %z",
            "%Y/%m/%d %H:%M:%S%z",
            "%Y%m%dT%H%M%S%z",
            "%a, %d %b %Y %H:%M:%S %z",
            "%a %b %d %Y %H:%M:%S GMT%z",
            "%B %d, %Y %I:%M:%S %p %z",
            "%d/%b/%Y:%H:%M:%S %z",
            "%s",
            "%s000",
            "%s000000",
        ] {
            let text = at.strftime(format).to_string();
            prop_assert_eq!(Time::parse(text.as_bytes()), Some(time), "{}", text);
        }
    }

    #[test]
    fn a_reader_of_many_reads_each_as_it_would_alone(
        texts in proptest::collection::vec(
            "20(24|25)-(02|13)-(28|29|31)[T ](0|2)[0-4]:5[0-9]:(5|6)[0-9]\\.[0-9]{3}(Z|\\+)|[0-9T:.Z-]{24}",
            0..20,
        ),
    ) {
        let mut reader = TimeReader::default();
        for text in texts {
            with_json(&serde_json::json!(text).to_string(), |json| {
                prop_assert_eq!(reader.read(json), Stamp::from_json(json), "{}", text);
                Ok(())
            })?;
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = Time::parse(&bytes);
    }

    #[test]
    fn no_near_time_panics(text in "[0-9]{0,4}[-/. ]?[0-9]{0,3}[-/. ]?[0-9]{0,2}[T ,é][0-9:]{0,8}[.,:]?[0-9]{0,4}[ +-]?[0-9:]{0,6}(\\[[a-zA-Z/]{0,5}\\])?|(Mar|May|Tue) [0-9:., +GMTé-]{0,30}") {
        let _ = Time::parse(text.as_bytes());
    }
}
