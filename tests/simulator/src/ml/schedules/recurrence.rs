//! Recurrences: every so many minutes, hours, days, weeks or months, at the times of a pattern. Pure.
//! Source: Azure REST API, `RecurrenceTrigger`, `RecurrenceSchedule`.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, ToSpan as _, Unit, Zoned};
use serde_json::Value;

/// How far ahead a firing is looked for, in days.
const HORIZON: i32 = 366 * 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

/// A recurrence; the time it counts from is part of it.
#[derive(Clone, Debug)]
pub struct Recurrence {
    frequency: Frequency,
    interval: i32,
    phase: DateTime,
    /// Hour and minute, in order.
    times: Vec<(i8, i8)>,
    weekdays: Vec<Weekday>,
    month_days: Vec<i8>,
}

fn numbers(schedule: Option<&Value>, key: &str) -> Vec<i8> {
    let list = schedule.and_then(|schedule| schedule.get(key)).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .filter_map(|number| i8::try_from(number).ok())
        .collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let at = days.iter().position(|day| day.eq_ignore_ascii_case(text))?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

impl Recurrence {
    /// Reads a recurrence that counts from `phase`.
    pub fn read(value: &Value, phase: DateTime) -> Result<Self, String> {
        let word = value.get("frequency").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let frequency = match word.as_str() {
            "minute" => Frequency::Minute,
            "hour" => Frequency::Hour,
            "day" => Frequency::Day,
            "week" => Frequency::Week,
            "month" => Frequency::Month,
            other => {
                return Err(format!("frequency must be Minute, Hour, Day, Week or Month, not '{other}'."));
            }
        };
        let interval = value.get("interval").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
        let interval =
            interval.filter(|interval| *interval > 0).ok_or("interval must be a whole number above 0.")?;
        let schedule = value.get("schedule").filter(|schedule| schedule.is_object());
        if schedule.is_some_and(|s| s.get("hours").is_none() || s.get("minutes").is_none()) {
            return Err("The schedule of a recurrence needs hours and minutes.".into());
        }
        let or = |found: Vec<i8>, own: i8| if found.is_empty() { vec![own] } else { found };
        let hours = or(numbers(schedule, "hours"), phase.hour());
        let minutes = or(numbers(schedule, "minutes"), phase.minute());
        if hours.iter().any(|hour| !(0..24).contains(hour))
            || minutes.iter().any(|minute| !(0..60).contains(minute))
        {
            return Err("hours must be between 0 and 23, minutes between 0 and 59.".into());
        }
        let mut times: Vec<(i8, i8)> =
            hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute))).collect();
        times.sort_unstable();
        let named = schedule.and_then(|schedule| schedule.get("weekDays")).and_then(Value::as_array);
        let weekdays: Vec<Weekday> =
            named.into_iter().flatten().filter_map(Value::as_str).filter_map(weekday).collect();
        Ok(Self { frequency, interval, phase, times, weekdays, month_days: numbers(schedule, "monthDays") })
    }

    /// The first firing after `after`, on the clock of its zone.
    pub fn next(&self, after: &Zoned) -> Option<Zoned> {
        match self.frequency {
            Frequency::Minute => self.steps(after, SignedDuration::from_mins(i64::from(self.interval))),
            Frequency::Hour => self.steps(after, SignedDuration::from_hours(i64::from(self.interval))),
            Frequency::Day | Frequency::Week | Frequency::Month => self.on_a_day(after),
        }
    }

    /// Equal steps from the phase.
    fn steps(&self, after: &Zoned, step: SignedDuration) -> Option<Zoned> {
        let phase = self.phase.to_zoned(after.time_zone().clone()).ok()?;
        if phase > *after {
            return Some(phase);
        }
        let passed = after.timestamp().duration_since(phase.timestamp());
        let count = passed.as_nanos() / step.as_nanos() + 1;
        let count = i32::try_from(count).ok()?;
        phase.checked_add(step.checked_mul(count)?).ok()
    }

    fn on_a_day(&self, after: &Zoned) -> Option<Zoned> {
        let first = after.date().max(self.phase.date());
        (0..HORIZON)
            .filter_map(|offset| first.checked_add(offset.days()).ok())
            .filter(|day| self.takes(*day))
            .find_map(|day| {
                self.times.iter().find_map(|(hour, minute)| {
                    let time = day.at(*hour, *minute, 0, 0).to_zoned(after.time_zone().clone()).ok()?;
                    (time > *after
                        && time.datetime()
                            >= self.phase.with().second(0).subsec_nanosecond(0).build().ok()?)
                    .then_some(time)
                })
            })
    }

    /// Whether it fires on a day.
    fn takes(&self, day: Date) -> bool {
        let start = self.phase.date();
        let days = start.until((Unit::Day, day)).map_or(0, |span| span.get_days());
        match self.frequency {
            Frequency::Minute | Frequency::Hour => true,
            Frequency::Day => days % self.interval == 0,
            Frequency::Week => {
                let weeks = (days + i32::from(start.weekday().to_monday_zero_offset())) / 7;
                let wanted =
                    if self.weekdays.is_empty() { vec![start.weekday()] } else { self.weekdays.clone() };
                weeks % self.interval == 0 && wanted.contains(&day.weekday())
            }
            Frequency::Month => {
                let months =
                    i32::from(day.year() - start.year()) * 12 + i32::from(day.month() - start.month());
                let wanted =
                    if self.month_days.is_empty() { vec![start.day()] } else { self.month_days.clone() };
                months % self.interval == 0 && wanted.contains(&day.day())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn firings(value: &Value, phase: &str, count: usize) -> Vec<String> {
        let phase: DateTime = phase.parse().unwrap();
        let recurrence = Recurrence::read(value, phase).unwrap();
        let mut from = phase.in_tz("Europe/Zurich").unwrap() - 1.nanosecond();
        std::iter::from_fn(|| {
            from = recurrence.next(&from)?;
            Some(from.datetime().to_string())
        })
        .take(count)
        .collect()
    }

    #[test]
    fn every_second_week_counts_from_the_week_of_the_start() {
        let value = json!({ "frequency": "Week", "interval": 2,
            "schedule": { "hours": [4, 5], "minutes": [0], "weekDays": ["Monday", "friday"] } });
        let found = firings(&value, "2026-01-07T00:00:00", 5);
        assert_eq!(
            found,
            [
                "2026-01-09T04:00:00",
                "2026-01-09T05:00:00",
                "2026-01-19T04:00:00",
                "2026-01-19T05:00:00",
                "2026-01-23T04:00:00"
            ]
        );
    }

    #[test]
    fn months_without_the_day_are_left_out() {
        let value = json!({ "frequency": "month", "interval": 1,
            "schedule": { "hours": [6], "minutes": [30], "monthDays": [31] } });
        assert_eq!(firings(&value, "2026-01-01T00:00:00", 2), ["2026-01-31T06:30:00", "2026-03-31T06:30:00"]);
    }

    #[test]
    fn without_a_pattern_it_repeats_from_its_start() {
        let value = json!({ "frequency": "Hour", "interval": 5 });
        assert_eq!(firings(&value, "2026-01-01T03:10:00", 2), ["2026-01-01T03:10:00", "2026-01-01T08:10:00"]);
        let value = json!({ "frequency": "Day", "interval": 3 });
        assert_eq!(firings(&value, "2026-01-01T03:10:00", 2), ["2026-01-01T03:10:00", "2026-01-04T03:10:00"]);
    }

    #[test]
    fn hours_and_minutes_go_together_and_the_interval_is_above_zero() {
        let phase = "2026-01-01T00:00:00".parse().unwrap();
        assert!(Recurrence::read(&json!({ "frequency": "Day", "interval": 0 }), phase).is_err());
        assert!(
            Recurrence::read(
                &json!({ "frequency": "Day", "interval": 1, "schedule": { "hours": [1] } }),
                phase
            )
            .is_err()
        );
    }
}
