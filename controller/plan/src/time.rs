//! Durations and times as Kubernetes, Azure and people write them.

use crate::invalid::InvalidSpec;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A duration such as `1h30m`.
///
/// # Errors
/// When the text is no duration; the schema refuses that before.
pub fn duration(field: &str, text: &str) -> Result<SignedDuration, InvalidSpec> {
    text.parse::<SignedDuration>().map_err(|_| {
        InvalidSpec::new(field, format!("{text:?} is no duration; write one such as 90m or 1h30m"))
    })
}

/// A duration as ISO 8601, in the form that Microsoft's client sends: `PT2M`, `PT1H30M`, `PT45S`.
#[must_use]
pub fn iso(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, 'H'), (seconds % 3600 / 60, 'M'), (seconds % 60, 'S')];
    let words = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let text = words.collect::<Vec<_>>().concat();
    if text.is_empty() { "PT0S".to_owned() } else { format!("PT{text}") }
}

/// The seconds of an ISO 8601 duration in days, hours, minutes and seconds.
#[must_use]
pub fn iso_seconds(text: &str) -> Option<i64> {
    if !text.starts_with('P') {
        return None;
    }
    let span: Span = text.parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok().map(|duration| duration.as_secs())
}

/// A time without an offset, with `T` or a blank in the middle.
#[must_use]
pub fn civil(text: &str) -> Option<DateTime> {
    let looks_like_one = text.len() >= 16 && text.as_bytes()[4] == b'-' && !text.ends_with('Z');
    looks_like_one.then(|| text.parse().ok()).flatten()
}

/// A moment as Azure writes it, with an offset.
#[must_use]
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A time of a schedule as Azure ML takes it: without an offset, read in the schedule's zone.
///
/// # Errors
/// When there is no such time.
pub fn in_zone(field: &str, text: &str, zone: &TimeZone) -> Result<String, InvalidSpec> {
    let local = if text.ends_with('Z') || text.get(16..).is_some_and(|rest| rest.contains(['+', '-'])) {
        with_seconds(text).parse::<Timestamp>().ok().map(|moment| zone.to_datetime(moment))
    } else {
        text.parse::<DateTime>().ok()
    };
    local.map(|local| local.strftime("%Y-%m-%dT%H:%M:%S").to_string()).ok_or_else(|| {
        InvalidSpec::new(field, format!("{text:?} is no time; write one such as 2026-01-31T06:00:00"))
    })
}

/// `2026-01-31T06:00Z` with its seconds written out.
fn with_seconds(text: &str) -> String {
    match text.as_bytes().get(16) {
        Some(b':') => text.to_owned(),
        _ => format!("{}:00{}", &text[..16], &text[16..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_microsofts_client_does() {
        for (text, expected) in
            [("2m", "PT2M"), ("90m", "PT1H30M"), ("45s", "PT45S"), ("24h", "PT24H"), ("0s", "PT0S")]
        {
            let duration = duration("f", text).unwrap();
            assert_eq!(iso(duration), expected);
            assert_eq!(iso_seconds(expected), Some(duration.as_secs()));
        }
        assert_eq!(iso_seconds("PT120S"), Some(120));
        assert_eq!(iso_seconds("Paris"), None);
    }

    #[test]
    fn times_with_an_offset_are_moved_to_the_zone() {
        let zurich = TimeZone::get("Europe/Zurich").unwrap();
        let cases = [
            ("2026-01-31T06:00:00", "2026-01-31T06:00:00"),
            ("2026-01-31T06:00", "2026-01-31T06:00:00"),
            ("2026-01-31T06:00:00Z", "2026-01-31T07:00:00"),
            ("2026-07-31T06:00Z", "2026-07-31T08:00:00"),
            ("2026-01-31T06:00:00-05:00", "2026-01-31T12:00:00"),
        ];
        for (text, local) in cases {
            assert_eq!(in_zone("startTime", text, &zurich).unwrap(), local, "{text}");
        }
        assert!(in_zone("startTime", "2026-02-31T06:00:00", &zurich).is_err());
    }
}
