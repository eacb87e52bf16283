//! When a schedule fires next: computed here to be shown, while Azure ML does the firing.
//!
//! In: a trigger, its zone, the time. Out: the next times, all of them after that time. Approximate around a change of the clocks:
//! Azure documents nothing there. A time that comes twice is taken for the first of the two.

use crate::invalid::InvalidSpec;
use azureml_crds::ml_schedule::{Frequency, Recurrence, WeekDay};
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// How many times are shown.
const SHOWN: usize = 5;

/// What fires.
#[derive(Clone, Debug)]
pub enum Trigger<'a> {
    /// A cron expression of five fields.
    Cron(&'a str),
    /// A recurrence.
    Recurrence(&'a Recurrence),
}

/// The window in which a schedule fires, in the schedule's zone.
#[derive(Clone, Debug)]
pub struct Window {
    /// The zone's clock.
    pub clock: TimeZone,
    /// Nothing fires before; a recurrence counts from here.
    pub start: DateTime,
    /// Nothing fires after.
    pub end: Option<DateTime>,
}

/// The next firing times after `now`.
///
/// # Errors
/// When the expression is refused.
pub fn next(trigger: &Trigger<'_>, window: &Window, now: Timestamp) -> Result<Vec<Zoned>, InvalidSpec> {
    let after = now
        .to_zoned(window.clock.clone())
        .datetime()
        .max(window.start.saturating_sub(Span::new().seconds(1)));
    // In an hour that comes twice, what is still to come by the clock may have passed.
    let is_ahead =
        |time: &DateTime| time.to_zoned(window.clock.clone()).is_ok_and(|time| time.timestamp() > now);
    let times = match trigger {
        Trigger::Cron(expression) => cron(expression, window, after, is_ahead)?,
        Trigger::Recurrence(recurrence) => recur(recurrence, window, after, is_ahead),
    };
    let is_inside = |time: &DateTime| window.end.is_none_or(|end| *time <= end);
    let inside = times.into_iter().filter(is_inside);
    Ok(inside.filter_map(|time| time.to_zoned(window.clock.clone()).ok()).collect())
}

fn cron(
    expression: &str,
    window: &Window,
    after: DateTime,
    is_ahead: impl Fn(&DateTime) -> bool,
) -> Result<Vec<DateTime>, InvalidSpec> {
    let refuse = |error: &dyn std::fmt::Display| {
        InvalidSpec::new("cron", format!("{expression:?} is refused: {error}"))
    };
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(expression).map_err(|error| refuse(&error))?;
    let mut from = after.to_zoned(window.clock.clone()).map_err(|error| refuse(&error))?;
    let mut times = Vec::new();
    while times.len() < SHOWN {
        from = cron.find_next_occurrence(&from, false).map_err(|error| refuse(&error))?;
        times.extend(Some(from.datetime()).filter(&is_ahead));
    }
    Ok(times)
}

/// Candidates are periods counted from the start; the first that can matter is computed, not searched.
fn recur(
    recurrence: &Recurrence,
    window: &Window,
    after: DateTime,
    is_ahead: impl Fn(&DateTime) -> bool,
) -> Vec<DateTime> {
    let mut times = Vec::new();
    let first = periods_before(recurrence, window.start, after);
    for period in first.. {
        let Some(begin) = period_start(recurrence, window.start, period) else { return times };
        let mut inside = firings(recurrence, window.start, begin);
        inside.sort_unstable();
        let to_come = |time: &DateTime| *time > after && *time >= window.start && is_ahead(time);
        times.extend(inside.into_iter().filter(to_come));
        if times.len() >= SHOWN || period > first + 1000 {
            times.truncate(SHOWN);
            return times;
        }
    }
    times
}

fn unit(frequency: Frequency) -> Span {
    match frequency {
        Frequency::Minute => Span::new().minutes(1),
        Frequency::Hour => Span::new().hours(1),
        Frequency::Day => Span::new().days(1),
        Frequency::Week => Span::new().weeks(1),
        Frequency::Month => Span::new().months(1),
    }
}

fn periods_before(recurrence: &Recurrence, start: DateTime, after: DateTime) -> i64 {
    let seconds = i64::from(recurrence.interval)
        * match recurrence.frequency {
            Frequency::Minute => 60,
            Frequency::Hour => 3600,
            Frequency::Day => 86_400,
            Frequency::Week => 604_800,
            // The longest month, so that the count is never too large.
            Frequency::Month => 31 * 86_400,
        };
    let elapsed = after.duration_since(start).as_secs();
    (elapsed / seconds - 1).max(0)
}

fn period_start(recurrence: &Recurrence, start: DateTime, period: i64) -> Option<DateTime> {
    let count = period.checked_mul(i64::from(recurrence.interval))?;
    start.checked_add(unit(recurrence.frequency).checked_mul(count).ok()?).ok()
}

/// The firing times inside one period.
fn firings(recurrence: &Recurrence, start: DateTime, begin: DateTime) -> Vec<DateTime> {
    if recurrence.hours.is_empty() {
        return vec![begin];
    }
    let days = match recurrence.frequency {
        Frequency::Week => week_days(recurrence, start, begin.date()),
        Frequency::Month => month_days(recurrence, start, begin.date()),
        Frequency::Day | Frequency::Hour | Frequency::Minute => vec![begin.date()],
    };
    let small = |value: i32| i8::try_from(value).unwrap_or(0);
    let clock = recurrence
        .hours
        .iter()
        .flat_map(|hour| recurrence.minutes.iter().map(move |minute| (*hour, *minute)));
    let times: Vec<Time> =
        clock.filter_map(|(hour, minute)| Time::new(small(hour), small(minute), 0, 0).ok()).collect();
    days.iter().flat_map(|day| times.iter().map(|time| day.to_datetime(*time))).collect()
}

/// Days of the week that begins on the Sunday before: Azure Logic Apps, whose recurrence this is, counts weeks so.
fn week_days(recurrence: &Recurrence, start: DateTime, day: Date) -> Vec<Date> {
    let wanted: Vec<Weekday> = if recurrence.week_days.is_empty() {
        vec![start.date().weekday()]
    } else {
        recurrence.week_days.iter().map(|day| weekday(*day)).collect()
    };
    let sunday = day.saturating_sub(Span::new().days(i64::from(day.weekday().to_sunday_zero_offset())));
    let offsets = wanted.iter().map(|day| i64::from(day.to_sunday_zero_offset()));
    offsets.filter_map(|offset| sunday.checked_add(Span::new().days(offset)).ok()).collect()
}

fn month_days(recurrence: &Recurrence, start: DateTime, day: Date) -> Vec<Date> {
    let wanted: Vec<i32> = if recurrence.month_days.is_empty() {
        vec![i32::from(start.day())]
    } else {
        recurrence.month_days.clone()
    };
    wanted
        .iter()
        .filter_map(|number| Date::new(day.year(), day.month(), i8::try_from(*number).ok()?).ok())
        .collect()
}

fn weekday(day: WeekDay) -> Weekday {
    match day {
        WeekDay::Monday => Weekday::Monday,
        WeekDay::Tuesday => Weekday::Tuesday,
        WeekDay::Wednesday => Weekday::Wednesday,
        WeekDay::Thursday => Weekday::Thursday,
        WeekDay::Friday => Weekday::Friday,
        WeekDay::Saturday => Weekday::Saturday,
        WeekDay::Sunday => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: Option<&str>) -> Window {
        Window {
            clock: TimeZone::get("Europe/Zurich").unwrap(),
            start: start.parse().unwrap(),
            end: end.map(|end| end.parse().unwrap()),
        }
    }

    fn shown(trigger: &Trigger<'_>, window: &Window, now: &str) -> Vec<String> {
        let times = next(trigger, window, now.parse().unwrap()).unwrap();
        times.iter().map(|time| time.strftime("%a %Y-%m-%d %H:%M%:z").to_string()).collect()
    }

    fn recurrence(frequency: Frequency, interval: i32) -> Recurrence {
        Recurrence {
            frequency,
            interval,
            hours: vec![],
            minutes: vec![],
            week_days: vec![],
            month_days: vec![],
        }
    }

    #[test]
    fn a_cron_fires_by_the_clock_of_its_zone() {
        let times = shown(
            &Trigger::Cron("0 6 * * 1-5"),
            &window("2020-01-01T00:00:00", None),
            "2026-11-25T10:00:00Z",
        );
        assert_eq!(
            times[..3],
            ["Thu 2026-11-26 06:00+01:00", "Fri 2026-11-27 06:00+01:00", "Mon 2026-11-30 06:00+01:00"]
        );
    }

    #[test]
    fn nothing_fires_outside_of_the_window() {
        let window = window("2026-12-01T00:00:00", Some("2026-12-03T12:00:00"));
        let times = shown(&Trigger::Cron("0 6 * * *"), &window, "2026-11-25T10:00:00Z");
        assert_eq!(
            times,
            ["Tue 2026-12-01 06:00+01:00", "Wed 2026-12-02 06:00+01:00", "Thu 2026-12-03 06:00+01:00"]
        );
    }

    #[test]
    fn in_the_hour_that_comes_twice_there_is_a_next_time() {
        let window = window("2026-01-01T00:00:00", None);
        let often = recurrence(Frequency::Minute, 1);
        for trigger in [Trigger::Recurrence(&often), Trigger::Cron("* * * * *")] {
            // 02:10 for the second time: all times up to 03:00 were the first ones.
            let times = shown(&trigger, &window, "2026-10-25T01:10:00Z");
            assert_eq!((times.len(), times[0].as_str()), (SHOWN, "Sun 2026-10-25 03:00+01:00"));
            let before = shown(&trigger, &window, "2026-10-25T00:10:00Z");
            assert_eq!(before[0], "Sun 2026-10-25 02:11+02:00");
        }
    }

    #[test]
    fn a_recurrence_counts_from_its_start() {
        let every = recurrence(Frequency::Hour, 5);
        let times =
            shown(&Trigger::Recurrence(&every), &window("2026-11-24T00:00:00", None), "2026-11-25T00:00:00Z");
        assert_eq!(times[..2], ["Wed 2026-11-25 06:00+01:00", "Wed 2026-11-25 11:00+01:00"]);
        let weekly = Recurrence {
            hours: vec![6],
            minutes: vec![0, 30],
            week_days: vec![WeekDay::Monday],
            ..recurrence(Frequency::Week, 2)
        };
        let times = shown(
            &Trigger::Recurrence(&weekly),
            &window("2026-11-23T00:00:00", None),
            "2026-11-24T00:00:00Z",
        );
        assert_eq!(times[..2], ["Mon 2026-12-07 06:00+01:00", "Mon 2026-12-07 06:30+01:00"]);
        let monthly = Recurrence {
            hours: vec![6],
            minutes: vec![0],
            month_days: vec![1, 31],
            ..recurrence(Frequency::Month, 1)
        };
        let times = shown(
            &Trigger::Recurrence(&monthly),
            &window("2020-01-01T00:00:00", None),
            "2026-11-25T00:00:00Z",
        );
        assert_eq!(
            times[..3],
            ["Tue 2026-12-01 06:00+01:00", "Thu 2026-12-31 06:00+01:00", "Fri 2027-01-01 06:00+01:00"]
        );
    }
}
