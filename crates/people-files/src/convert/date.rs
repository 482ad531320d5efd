//! Dates as other systems write them. What can be read in two ways is refused.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::candidate::Problem;
use crate::mapping::DateFormat;
use crate::value::text_of;

/// Smaller numbers are rather days of a spreadsheet: so many seconds are in March 1973, and so many days in the year
/// 275,692.
const LEAST_SECONDS: f64 = 1e8;
/// From here on milliseconds: as seconds it is the year 5138.
const LEAST_MILLISECONDS: f64 = 1e11;
/// From here on microseconds.
const LEAST_MICROSECONDS: f64 = 1e14;

/// `None` for nothing, also in MySQL's form `0000-00-00`.
///
/// # Errors
/// `ambiguous_date` and `invalid_date`.
pub(crate) fn date_of(
    value: &Value,
    format: Option<&DateFormat>,
    zone: Tz,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let text = text_of(value);
    if text.starts_with("0000-00-00")
        || ["null", "none"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
    {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let read = match format {
        Some(DateFormat::Pattern(pattern)) => by_pattern(&text, pattern, zone),
        Some(DateFormat::Excel) => number.and_then(|days| excel_day(days, zone)),
        Some(DateFormat::Unix) => number.and_then(|seconds| since_1970(seconds * 1e6)),
        Some(DateFormat::UnixMilliseconds) => number.and_then(|ms| since_1970(ms * 1e3)),
        None => match number {
            Some(number) if number.abs() < LEAST_SECONDS => return Err(ambiguous(&text)),
            Some(number) => epoch(number),
            None => match iso(&text, zone) {
                None if looks_local(&text) => return Err(ambiguous(&text)),
                read => read,
            },
        },
    };
    // Years that PostgreSQL and RFC 3339 share.
    let read = read.filter(|date| (0..=9999).contains(&chrono::Datelike::year(date)));
    read.map(Some).ok_or_else(|| invalid(&text, format))
}

fn epoch(number: f64) -> Option<DateTime<Utc>> {
    let size = number.abs();
    since_1970(if size < LEAST_MILLISECONDS {
        number * 1e6
    } else if size < LEAST_MICROSECONDS {
        number * 1e3
    } else {
        number
    })
}

fn since_1970(microseconds: f64) -> Option<DateTime<Utc>> {
    // Floats become the nearest integer, and what is out of range is no date.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and no date is that late"
    )]
    DateTime::from_timestamp_micros(microseconds.round() as i64)
}

fn excel_day(days: f64, zone: Tz) -> Option<DateTime<Utc>> {
    let start = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_time(NaiveTime::MIN);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and no date is that late"
    )]
    let seconds = (days * 86_400.0).round() as i64;
    in_zone(
        start.checked_add_signed(Duration::try_seconds(seconds)?)?,
        zone,
    )
}

fn by_pattern(text: &str, pattern: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_str(text, pattern) {
        return Some(date.to_utc());
    }
    if let Ok(date) = NaiveDateTime::parse_from_str(text, pattern) {
        return in_zone(date, zone);
    }
    let date = NaiveDate::parse_from_str(text, pattern).ok()?;
    in_zone(date.and_time(NaiveTime::MIN), zone)
}

/// ISO 8601 as databases and languages print it: with `T` or a space, with or without a fraction and a zone, `+00` too.
fn iso(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text
        .strip_suffix(" UTC")
        .map_or_else(|| text.to_owned(), |text| format!("{text}Z"));
    for pattern in [
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f %#z",
    ] {
        if let Ok(date) = DateTime::parse_from_str(&text, pattern) {
            return Some(date.to_utc());
        }
    }
    for pattern in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(date) = NaiveDateTime::parse_from_str(&text, pattern) {
            return in_zone(date, zone);
        }
    }
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?;
    in_zone(date.and_time(NaiveTime::MIN), zone)
}

/// A time that occurs twice is the first, and one that a change of the clock skips is an hour later.
fn in_zone(date: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&date) {
        LocalResult::Single(date) | LocalResult::Ambiguous(date, _) => Some(date.to_utc()),
        LocalResult::None => {
            let later = date.checked_add_signed(Duration::try_hours(1)?)?;
            zone.from_local_datetime(&later)
                .earliest()
                .map(|date| date.to_utc())
        }
    }
}

/// `01.03.2024`, `3/4/24`, `01-03-2024 12:00`, and not `2024-13-01`
fn looks_local(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['.', '/', '-']).collect();
    let starts_with_year = date.contains('-') && parts.first().is_some_and(|part| part.len() > 2);
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number) && !starts_with_year
}

fn ambiguous(text: &str) -> Problem {
    Problem::new(
        "ambiguous_date",
        format!("{text:?} can be read as more than one date."),
        "Say how dates are written: `date = \"%d.%m.%Y\"` in `format` of the mapping, or \"excel\", \"unix\" or \"unix-ms\".",
    )
}

fn invalid(text: &str, format: Option<&DateFormat>) -> Problem {
    let remedy = match format {
        Some(_) => "Correct the row, or `date` in the mapping.",
        None => "Correct the row, or say how dates are written: `date` in `format` of the mapping.",
    };
    Problem::new("invalid_date", format!("{text:?} is no date."), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: impl Into<Value>) -> Result<Option<String>, String> {
        read_as(value, None, Tz::UTC)
    }

    fn read_as(
        value: impl Into<Value>,
        format: Option<&DateFormat>,
        zone: Tz,
    ) -> Result<Option<String>, String> {
        let date = date_of(&value.into(), format, zone).map_err(|problem| problem.code)?;
        Ok(date.map(|date| date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)))
    }

    #[test]
    fn dates_that_say_what_they_are_need_no_format() {
        let march = Ok(Some("2024-03-01T12:30:00Z".to_owned()));
        for text in [
            "2024-03-01T12:30:00Z",
            "2024-03-01T12:30:00.000Z",
            "2024-03-01T13:30:00+01:00",
            "2024-03-01 12:30:00+00",
            "2024-03-01 12:30:00.000000+00:00",
            "2024-03-01 14:30:00 +0200",
            "2024-03-01 12:30:00 UTC",
            "2024-03-01 12:30:00",
            "2024-03-01T12:30",
            "1709296200",
            "1709296200000",
            "1709296200000000",
        ] {
            assert_eq!(read(text), march, "{text}");
        }
        assert_eq!(read(1_709_296_200_000_i64), march);
        assert_eq!(read(1_709_296_200), march);
        assert_eq!(
            read("2024-03-01"),
            Ok(Some("2024-03-01T00:00:00Z".to_owned()))
        );
    }

    #[test]
    fn dates_that_can_be_read_in_two_ways_are_refused() {
        for text in [
            "01.03.2024",
            "03/04/2024",
            "3/4/24",
            "01-03-2024 10:00",
            "45352",
            "45352.5",
            "0",
        ] {
            assert_eq!(read(text), Err("ambiguous_date".to_owned()), "{text}");
        }
        let problem = date_of(&Value::from("03/04/2024"), None, Tz::UTC).unwrap_err();
        assert!(
            problem.remedy.contains("date = \"%d.%m.%Y\""),
            "{}",
            problem.remedy
        );
        for text in ["yesterday", "2024-13-01", "2024-02-30T00:00:00Z", "true"] {
            assert_eq!(read(text), Err("invalid_date".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_format_settles_what_a_date_means() {
        let pattern = |text: &str| Some(DateFormat::Pattern(text.to_owned()));
        let zurich = Tz::Europe__Zurich;
        let cases = [
            (
                "01.03.2024",
                pattern("%d.%m.%Y"),
                zurich,
                "2024-02-29T23:00:00Z",
            ),
            (
                "01.07.2024 12:00",
                pattern("%d.%m.%Y %H:%M"),
                zurich,
                "2024-07-01T10:00:00Z",
            ),
            (
                "03/04/2024",
                pattern("%m/%d/%Y"),
                Tz::UTC,
                "2024-03-04T00:00:00Z",
            ),
            (
                "45352",
                Some(DateFormat::Excel),
                Tz::UTC,
                "2024-03-01T00:00:00Z",
            ),
            (
                "45352.5",
                Some(DateFormat::Excel),
                Tz::UTC,
                "2024-03-01T12:00:00Z",
            ),
            (
                "86400",
                Some(DateFormat::Unix),
                Tz::UTC,
                "1970-01-02T00:00:00Z",
            ),
            (
                "86400000",
                Some(DateFormat::UnixMilliseconds),
                Tz::UTC,
                "1970-01-02T00:00:00Z",
            ),
        ];
        for (text, format, zone, expected) in cases {
            assert_eq!(
                read_as(text, format.as_ref(), zone),
                Ok(Some(expected.to_owned())),
                "{text}"
            );
        }
        assert_eq!(
            read_as("2024-03-01", pattern("%d.%m.%Y").as_ref(), Tz::UTC),
            Err("invalid_date".to_owned())
        );
    }

    #[test]
    fn a_zone_is_for_dates_that_name_none() {
        let zurich = Tz::Europe__Zurich;
        let read = |text: &str| read_as(text, None, zurich).unwrap().unwrap();
        assert_eq!(read("2024-07-01 12:00:00"), "2024-07-01T10:00:00Z");
        assert_eq!(read("2024-07-01 12:00:00Z"), "2024-07-01T12:00:00Z");
        assert_eq!(
            read("2024-03-31 02:30:00"),
            "2024-03-31T01:30:00Z",
            "skipped by the clock"
        );
        assert_eq!(
            read("2024-10-27 02:30:00"),
            "2024-10-27T00:30:00Z",
            "occurs twice"
        );
    }

    #[test]
    fn zeros_are_no_date() {
        for text in ["0000-00-00 00:00:00", "0000-00-00", "NULL", "None"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }
}
