//! Firing times of engine Controller on a virtual clock: a year of minutes in every zone, and what a clock does that jumps.
//!
//! In: the zones of the time zone database. Out: nothing; each test says what must not happen.

use crate::support::object;
use anyhow::{Context as _, Result};
use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::Decided;
use azureml_plan::firing::Window;
use azureml_plan::schedule::due::{Due, begun, due, is_before_all, started};
use azureml_plan::schedule::moments::Moments;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const YEAR: Timestamp = Timestamp::constant(1_798_761_600, 0);
const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::MIN)
}

fn schedule(times: &str) -> Result<MLSchedule> {
    object("s", &format!("{{pipelineRef: {{name: p}}, engine: Controller, {times}}}"))
}

fn moments<'a>(schedule: &'a MLSchedule, zone: &str) -> Result<Moments<'a>> {
    let window = Window { clock: TimeZone::get(zone)?, start: "2020-01-01T00:00:00".parse()?, end: None };
    Moments::of(&schedule.spec, window).map_err(anyhow::Error::msg)
}

/// The firing times from one moment to another.
fn between(moments: &Moments<'_>, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let next = |moment: &Timestamp| moments.after(*moment).map(|next| next.timestamp());
    std::iter::successors(next(&from), next).take_while(|moment| *moment < to).collect()
}

/// The zones whose clocks change within the year, and the moments at which they do.
fn changing() -> Vec<(String, Vec<Timestamp>)> {
    let end = YEAR + SignedDuration::from_hours(365 * 24);
    let all = jiff::tz::db().available().filter_map(|name| {
        let zone = TimeZone::get(name.as_str()).ok()?;
        let changes: Vec<Timestamp> = zone
            .following(YEAR)
            .map(|change| change.timestamp())
            .take_while(|change| *change < end)
            .collect();
        Some((name.to_string(), changes))
    });
    all.filter(|(_, changes)| !changes.is_empty()).collect()
}

#[test]
fn a_schedule_of_every_minute_fires_each_minute_of_the_hours_around_every_change_of_every_clock() -> Result<()>
{
    let schedule = schedule("cron: '* * * * *'")?;
    let zones = changing();
    assert!(zones.len() > 100, "{}", zones.len());
    for (zone, changes) in &zones {
        let moments = moments(&schedule, zone)?;
        for change in changes {
            let (from, to) =
                (*change - SignedDuration::from_hours(4), *change + SignedDuration::from_hours(4));
            let fired = between(&moments, from, to);
            let every: Vec<Timestamp> =
                (1..480).map(|minute| from + SignedDuration::from_mins(minute)).collect();
            assert_eq!(fired, every, "{zone} {change}");
        }
    }
    Ok(())
}

#[test]
fn a_time_of_day_fires_once_a_day_for_a_year_in_every_zone_whatever_its_clock_does() -> Result<()> {
    // Every half hour of the night: one of them is left out, one comes twice.
    for hour in 0..4 {
        for minute in [0, 30] {
            let schedule = schedule(&format!("cron: '{minute} {hour} * * *'"))?;
            for (zone, changes) in changing() {
                let clock = TimeZone::get(&zone)?;
                let moments = moments(&schedule, &zone)?;
                for change in &changes {
                    let (from, to) =
                        (*change - SignedDuration::from_hours(72), *change + SignedDuration::from_hours(72));
                    let fired = between(&moments, from, to);
                    let mut days: Vec<_> = fired.iter().map(|at| clock.to_datetime(*at).date()).collect();
                    let count = days.len();
                    days.dedup();
                    assert_eq!(days.len(), count, "{zone} {hour}:{minute} fires twice on a day: {fired:?}");
                    let first = days.first().context("nothing")?;
                    let last = days.last().context("nothing")?;
                    let span = (*last - *first).get_days();
                    assert_eq!(
                        usize::try_from(span)? + 1,
                        count,
                        "{zone} {hour}:{minute} leaves a day out: {fired:?}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_year_goes_by_in_looks_of_five_minutes_and_every_night_has_its_run() -> Result<()> {
    let schedule = schedule("crons: ['30 2 * * *', '0 6 1 * *', '0 6 * * MON']")?;
    let moments = moments(&schedule, "Europe/Zurich")?;
    let all = between(&moments, YEAR, YEAR + SignedDuration::from_hours(365 * 24));
    let mut operator = Operator::new(YEAR);
    // The slowest that it is looked at; around the changes of the clock each minute is looked at, above.
    for look in 1..=365 * 24 * 12 {
        operator.pass(&moments, YEAR + SignedDuration::from_mins(5 * look));
    }
    // 365 nights, 12 first days, 52 Mondays, of which some are a first day.
    assert_eq!(operator.fired, all);
    assert!((425..=430).contains(&all.len()), "{}", all.len());
    assert_eq!(operator.decided.len(), 1, "one span is enough: {:?}", operator.decided);
    Ok(())
}

/// What an operator remembers of a schedule in its status, and what it started.
struct Operator {
    decided: Vec<Decided>,
    missed_until: Option<Timestamp>,
    fired: Vec<Timestamp>,
    missed: Vec<Timestamp>,
}

impl Operator {
    fn new(now: Timestamp) -> Self {
        Self { decided: begun(&[], now), missed_until: None, fired: Vec::new(), missed: Vec::new() }
    }

    fn pass(&mut self, moments: &Moments<'_>, now: Timestamp) {
        if is_before_all(&self.decided, now) {
            self.decided = begun(&self.decided, now);
            return;
        }
        let Due { at, missed } = due(moments, &self.decided, (DEADLINE, self.missed_until), now);
        if let Some(missed) = missed {
            self.missed.push(missed);
            self.missed_until = Some(now - DEADLINE);
        }
        if let Some(at) = at {
            self.fired.push(at);
            self.decided = started(moments, &self.decided, (at, DEADLINE), now);
        }
    }

    /// A pass each minute from one moment to another.
    fn pass_all(&mut self, moments: &Moments<'_>, from: &str, to: &str) {
        let (mut now, to) = (at(from), at(to));
        while now <= to {
            self.pass(moments, now);
            now += SignedDuration::from_mins(1);
        }
    }
}

#[test]
fn nothing_fires_since_it_was_made_and_an_outage_is_made_up_for_once() -> Result<()> {
    let schedule = schedule("cron: '*/10 * * * *'")?;
    let moments = moments(&schedule, "UTC")?;
    let mut operator = Operator::new(at("2027-01-01T06:00:30Z"));
    operator.pass_all(&moments, "2027-01-01T06:00:31Z", "2027-01-01T06:09:31Z");
    assert_eq!(operator.fired, [], "06:00 was before it was made");
    operator.pass_all(&moments, "2027-01-01T06:10:00Z", "2027-01-01T06:15:00Z");
    assert_eq!(operator.fired, [at("2027-01-01T06:10:00Z")]);
    // It is down from 06:16 to 06:41, over three firing times.
    operator.pass_all(&moments, "2027-01-01T06:41:00Z", "2027-01-01T06:49:00Z");
    assert_eq!(
        operator.fired[1..],
        [at("2027-01-01T06:40:00Z")],
        "the last is made up for, the others are not"
    );
    assert_eq!(operator.missed, []);
    // And over night, longer than the deadline.
    operator.pass_all(&moments, "2027-01-02T06:05:00Z", "2027-01-02T06:09:00Z");
    assert_eq!(operator.fired[2..], [at("2027-01-02T06:00:00Z")]);
    assert_eq!(operator.missed, [at("2027-01-01T06:50:00Z")], "it is told once");
    Ok(())
}

#[test]
fn what_is_too_late_is_told_once_and_not_started() -> Result<()> {
    let schedule = schedule("cron: '0 6 * * *'")?;
    let moments = moments(&schedule, "UTC")?;
    let mut operator = Operator::new(at("2027-01-01T00:00:00Z"));
    operator.pass_all(&moments, "2027-01-01T06:30:00Z", "2027-01-01T06:30:00Z");
    assert_eq!(operator.fired, [at("2027-01-01T06:00:00Z")], "as late as is allowed");
    operator.pass_all(&moments, "2027-01-02T06:31:00Z", "2027-01-02T09:00:00Z");
    assert_eq!((operator.fired.len(), operator.missed), (1, vec![at("2027-01-02T06:00:00Z")]));
    Ok(())
}

#[test]
fn a_clock_that_goes_back_fires_nothing_twice() -> Result<()> {
    let schedule = schedule("cron: '* * * * *'")?;
    let moments = moments(&schedule, "UTC")?;
    for back in [1, 59, 60, 61, 600, 86_400] {
        let mut operator = Operator::new(at("2027-01-03T00:00:00Z"));
        operator.pass_all(&moments, "2027-01-03T00:01:00Z", "2027-01-03T02:00:00Z");
        let again = at("2027-01-03T02:00:00Z") - SignedDuration::from_secs(back);
        operator.pass_all(&moments, &again.to_string(), "2027-01-03T03:00:59Z");
        let mut once = operator.fired.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), operator.fired.len(), "{back}");
        let early =
            once.iter().filter(|at| **at <= "2027-01-03T00:00:00Z".parse().unwrap_or_default()).count();
        assert_eq!(once.len() - early, 180, "{back}: and nothing is left out that was to come");
    }
    Ok(())
}

#[test]
fn a_clock_that_was_a_year_ahead_and_comes_back_leaves_no_silence_behind() -> Result<()> {
    let schedule = schedule("cron: '0 * * * *'")?;
    let moments = moments(&schedule, "UTC")?;
    let mut operator = Operator::new(at("2027-01-01T00:30:00Z"));
    operator.pass_all(&moments, "2027-01-01T00:31:00Z", "2027-01-01T02:30:00Z");
    operator.pass_all(&moments, "2028-01-01T02:31:00Z", "2028-01-01T03:30:00Z");
    operator.pass_all(&moments, "2027-01-01T02:40:00Z", "2027-01-01T05:30:00Z");
    let hours: Vec<String> = operator.fired.iter().map(ToString::to_string).collect();
    assert_eq!(
        hours,
        [
            "2027-01-01T01:00:00Z",
            "2027-01-01T02:00:00Z",
            "2028-01-01T03:00:00Z",
            "2027-01-01T03:00:00Z",
            "2027-01-01T04:00:00Z",
            "2027-01-01T05:00:00Z",
        ]
    );
    Ok(())
}

#[test]
fn a_day_that_no_month_has_and_a_window_that_is_over_have_no_times() -> Result<()> {
    let ended = schedule("cron: '0 6 * * *'")?;
    let end = Some("2026-12-31T06:00:00".parse()?);
    let window = Window { clock: TimeZone::UTC, start: "2020-01-01T00:00:00".parse()?, end };
    let moments = Moments::of(&ended.spec, window).map_err(anyhow::Error::msg)?;
    assert_eq!(
        moments.after(at("2026-12-30T06:00:00Z")).map(|at| at.timestamp()),
        Some(at("2026-12-31T06:00:00Z"))
    );
    assert!(moments.after(at("2026-12-31T06:00:00Z")).is_none());
    Ok(())
}

#[test]
fn the_last_moment_of_a_week_is_the_one_to_which_a_walk_through_all_of_them_comes() -> Result<()> {
    let week = SignedDuration::from_hours(168);
    for times in [
        "cron: '* * * * *'",
        "crons: ['30 2 * * *', '0 6 1 * *', '*/7 3 * * MON']",
        "cron: '0 6 29 2 *'",
        "recurrence: {frequency: Day, interval: 2}",
    ] {
        let schedule = schedule(times)?;
        let moments = moments(&schedule, "Europe/Zurich")?;
        // The last two are at the changes of the clock.
        for until in
            ["2027-01-08T00:00:00Z", "2027-02-03T17:04:30Z", "2027-03-28T01:00:00Z", "2027-10-31T01:40:00Z"]
        {
            let (from, until) = (at(until) - week, at(until));
            let all = between(&moments, from, until + SignedDuration::from_nanos(1));
            assert_eq!(moments.last(from, until), all.last().copied(), "{times} {until}");
        }
    }
    Ok(())
}
