//! When a schedule fires: its trigger read from the wire, and the next time after a given one. Pure.
//! Azure's own way with cron is kept: day of month and month are ignored and count as `*`
//! (learn.microsoft.com, "Schedule machine learning pipeline jobs").

use super::recurrence::Recurrence;
use crate::faults::Failure;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Windows names to IANA zones.
static ZONES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../data/windows-zones.json")).unwrap_or_default()
});

/// A trigger.
#[derive(Clone, Debug)]
pub struct Trigger {
    rule: Rule,
    zone: TimeZone,
    /// The time it begins at; without one it fires at once.
    pub start: Option<Timestamp>,
    end: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Rule {
    Cron(Box<Cron>),
    Recurrence(Recurrence),
}

/// The zone of a Windows name.
fn zone(name: &str) -> Result<TimeZone, String> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let iana = ZONES.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name)).map(|(_, iana)| iana);
    let iana = iana.ok_or_else(|| format!("The time zone '{name}' is not one of Windows' time zones."))?;
    TimeZone::get(iana).map_err(|error| format!("The time zone '{name}' cannot be used: {error}."))
}

/// A time without an offset, as triggers have them: with `T` or a blank.
fn time(value: Option<&Value>, zone: &TimeZone, key: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = value.and_then(Value::as_str) else { return Ok(None) };
    let bad =
        || format!("{key} must be a time without an offset, such as 2022-06-01T00:00:01, not '{text}'.");
    let has_offset =
        text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|time| time.contains(['+', '-']));
    let time: DateTime = text.replacen(' ', "T", 1).parse().map_err(|_| bad())?;
    if has_offset {
        return Err(bad());
    }
    zone.to_ambiguous_timestamp(time).compatible().map(Some).map_err(|_| bad())
}

impl Trigger {
    /// Reads a trigger; `now` is the phase of a recurrence that names no start.
    pub fn read(value: &Value, now: Timestamp) -> Result<Self, String> {
        let zone = zone(value.get("timeZone").and_then(Value::as_str).unwrap_or("UTC"))?;
        let start = time(value.get("startTime"), &zone, "startTime")?;
        let end = time(value.get("endTime"), &zone, "endTime")?;
        if start.zip(end).is_some_and(|(start, end)| end <= start) {
            return Err("endTime must be after startTime.".into());
        }
        let kind = value.get("triggerType").and_then(Value::as_str).unwrap_or_default();
        let rule = match kind {
            "Cron" => Rule::Cron(Box::new(cron(
                value.get("expression").and_then(Value::as_str).unwrap_or_default(),
            )?)),
            "Recurrence" => {
                let phase = start.unwrap_or(now).to_zoned(zone.clone()).datetime();
                Rule::Recurrence(Recurrence::read(value, phase)?)
            }
            other => return Err(format!("triggerType must be Cron or Recurrence, not '{other}'.")),
        };
        Ok(Self { rule, zone, start, end })
    }

    /// Says that a trigger can never fire again; Azure finds this out after it has accepted the schedule.
    pub fn end_in_the_past(&self, now: Timestamp) -> Result<(), Failure> {
        if self.end.is_none_or(|end| end >= now) {
            return Ok(());
        }
        let kind = match self.rule {
            Rule::Cron(_) => "Cron",
            Rule::Recurrence(_) => "Recurrence",
        };
        let text = format!(
            "Job info with trigger is invalid, details: The {kind} EndTime should not be in the past"
        );
        Err(Failure::new("UserError", text))
    }

    /// The first firing after `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        // A start itself can be a firing, so what comes before it by the smallest step is looked from.
        let from = self.start.map_or(after, |start| after.max(start - 1.nanosecond()));
        let next = match &self.rule {
            Rule::Cron(cron) => {
                let from = from.to_zoned(self.zone.clone());
                cron.find_next_occurrence(&from, false).ok()?.timestamp()
            }
            Rule::Recurrence(recurrence) => recurrence.next(&from.to_zoned(self.zone.clone()))?.timestamp(),
        };
        self.end.is_none_or(|end| next <= end).then_some(next)
    }
}

/// Reads a cron expression of five fields, of which the third and fourth are ignored.
fn cron(expression: &str) -> Result<Cron, String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, _, _, weekday] = fields.as_slice() else {
        return Err(format!(
            "The expression '{expression}' must have five fields: minute hour day-of-month month day-of-week."
        ));
    };
    let plain = expression.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/ ".contains(c));
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let bad = || format!("The expression '{expression}' is not a valid cron expression.");
    if !plain {
        return Err(bad());
    }
    // The whole must be valid even where it is ignored.
    parser.parse(expression).map_err(|_| bad())?;
    parser.parse(&format!("{minute} {hour} * * {weekday}")).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn firings(trigger: &Value, after: &str, count: usize) -> Vec<String> {
        let trigger = Trigger::read(trigger, at("2026-01-01T00:00:00Z")).unwrap();
        let mut from = at(after);
        std::iter::from_fn(|| {
            from = trigger.next(from)?;
            Some(from.to_string())
        })
        .take(count)
        .collect()
    }

    #[test]
    fn a_cron_fires_by_the_clock_of_its_windows_zone() {
        let cron = json!({ "triggerType": "Cron", "expression": "0 6 * * 1-5", "timeZone": "W. Europe Standard Time",
                           "startTime": "2026-01-01T00:00:00" });
        let found = firings(&cron, "2026-03-27T06:00:00Z", 2);
        assert_eq!(
            found,
            ["2026-03-30T04:00:00Z", "2026-03-31T04:00:00Z"],
            "Friday, then Monday in summer time"
        );
    }

    #[test]
    fn day_of_month_and_month_are_ignored() {
        let cron = json!({ "triggerType": "Cron", "expression": "0 2 1 6 *", "timeZone": "UTC" });
        assert_eq!(
            firings(&cron, "2026-01-10T00:00:00Z", 2),
            ["2026-01-10T02:00:00Z", "2026-01-11T02:00:00Z"]
        );
    }

    #[test]
    fn nothing_fires_before_the_start_or_after_the_end() {
        let cron = json!({ "triggerType": "Cron", "expression": "0 * * * *", "startTime": "2026-01-05T10:00:00",
                           "endTime": "2026-01-05 12:00:00" });
        let found = firings(&cron, "2026-01-01T00:00:00Z", 9);
        assert_eq!(found, ["2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z", "2026-01-05T12:00:00Z"]);
    }

    #[test]
    fn what_is_no_trigger_is_refused() {
        let bad = |value: &Value| Trigger::read(value, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(bad(&json!({ "triggerType": "Cron", "expression": "0 0 6 * * *" })).contains("five fields"));
        assert!(bad(&json!({ "triggerType": "Cron", "expression": "0 25 * * *" })).contains("not a valid"));
        assert!(
            bad(&json!({ "triggerType": "Cron", "expression": "0 6 * * *", "timeZone": "Europe/Zurich" }))
                .contains("Windows")
        );
        let offset =
            json!({ "triggerType": "Cron", "expression": "0 6 * * *", "startTime": "2026-01-01T00:00:00Z" });
        assert!(bad(&offset).contains("without an offset"));
    }
}
