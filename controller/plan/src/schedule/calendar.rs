//! All firing times of a schedule in a span, to be shown, with either engine.
//!
//! In: a schedule, a span. Out: its times by the clock of its zone, and where that clock is changed. With engine Azure they are
//! approximate around such a change, as those of `status` are.

use super::body::LONG_AGO;
use super::moments::Moments;
use super::times::{Times, times};
use crate::firing::Window;
use crate::invalid::InvalidSpec;
use crate::time;
use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::Engine;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// The most times of one schedule: more than one each minute of a week.
const MOST: usize = 20_000;
/// How far to go on where no time is found after the clock was set back: times have no seconds, so none is passed over.
const STEP: SignedDuration = SignedDuration::from_secs(59);
/// The most that a clock is set back.
const SET_BACK: SignedDuration = SignedDuration::from_hours(3);

/// The times of a schedule in a span.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The clock of its zone.
    pub clock: TimeZone,
    /// When it fires.
    pub times: Vec<Zoned>,
    /// When the clock is changed, with the offset before and the one after.
    pub changes: Vec<(Timestamp, Offset, Offset)>,
}

/// The times of a schedule after one moment, up to another. A suspended one has none.
///
/// # Errors
/// When the times of the spec cannot be read.
pub fn calendar(schedule: &MLSchedule, from: Timestamp, until: Timestamp) -> Result<Calendar, InvalidSpec> {
    let Times { zone, start, end } = times(&schedule.spec)?;
    let clock = zone.clock;
    let changes = changes(&clock, from, until);
    let known = first_shown(schedule, &clock);
    let start = start.as_deref().and_then(time::civil).or(known).or_else(|| time::civil(LONG_AGO));
    let start = start.ok_or_else(|| InvalidSpec::new("startTime", "it cannot be read; correct it"))?;
    let window = Window { clock: clock.clone(), start, end: end.as_deref().and_then(time::civil) };
    let moments = Moments::of(&schedule.spec, window)?;
    let is_suspended = schedule.spec.suspend == Some(true);
    let times = if is_suspended { Vec::new() } else { between(&moments, &clock, from, until) };
    Ok(Calendar { clock, times, changes })
}

/// From when on a recurrence without a start counts that Azure ML fires: Azure knows, and the next time of `status` was made with it.
fn first_shown(schedule: &MLSchedule, clock: &TimeZone) -> Option<jiff::civil::DateTime> {
    let is_azure = schedule.spec.engine.unwrap_or_default() == Engine::Azure;
    let status = schedule.status.as_ref().filter(|_| is_azure && schedule.spec.recurrence.is_some())?;
    let is_current = status.common.observed_generation == schedule.metadata.generation;
    let first: Timestamp = status.next.first().filter(|_| is_current)?.parse().ok()?;
    Some(clock.to_datetime(first))
}

fn between(moments: &Moments<'_>, clock: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Zoned> {
    let mut times = Vec::new();
    let mut at = from;
    while at < until && times.len() < MOST {
        match moments.after(at) {
            Some(next) if next.timestamp() <= until => {
                at = next.timestamp();
                times.push(next);
            }
            None if is_set_back(clock, at) => at = at.checked_add(STEP).unwrap_or(until),
            Some(_) | None => break,
        }
    }
    times
}

/// Whether the clock was changed lately: in an hour that comes twice, the times of its first half are over, and hide what follows.
fn is_set_back(clock: &TimeZone, at: Timestamp) -> bool {
    let to = at.checked_add(STEP).unwrap_or(at);
    clock.preceding(to).next().is_some_and(|change| at.duration_since(change.timestamp()) < SET_BACK)
}

fn changes(clock: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Offset, Offset)> {
    let second = SignedDuration::from_secs(1);
    let before = |at: Timestamp| at.checked_sub(second).map_or(Offset::UTC, |at| clock.to_offset(at));
    let all = clock.following(from).take_while(|change| change.timestamp() <= until);
    let changes = all.map(|change| (change.timestamp(), before(change.timestamp()), change.offset()));
    // A zone may get another name, and keep its offset.
    changes.filter(|(_, before, after)| before != after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn week(spec: &serde_json::Value, from: &str) -> Vec<String> {
        let mut spec = spec.clone();
        spec["pipelineRef"] = json!({"name": "p"});
        let schedule: MLSchedule = serde_json::from_value(json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "metadata": {"name": "s"}, "spec": spec}))
        .unwrap();
        let from: Timestamp = from.parse().unwrap();
        let found = calendar(&schedule, from, from + SignedDuration::from_hours(168)).unwrap();
        found.times.iter().map(|time| time.strftime("%a %d %H:%M%:z").to_string()).collect()
    }

    #[test]
    fn each_engine_fires_by_the_clock_of_its_zone_also_where_it_is_changed() {
        for engine in ["Azure", "Controller"] {
            let spec = json!({"engine": engine, "cron": "30 2 * * *", "timeZone": "Europe/Zurich"});
            let spring = week(&spec, "2027-03-26T12:00:00Z");
            assert_eq!(
                spring[..3],
                ["Sat 27 02:30+01:00", "Sun 28 03:00+02:00", "Mon 29 02:30+02:00"],
                "{engine}"
            );
            let autumn = week(&spec, "2027-10-29T12:00:00Z");
            assert_eq!(
                autumn[..3],
                ["Sat 30 02:30+02:00", "Sun 31 02:30+02:00", "Mon 01 02:30+01:00"],
                "{engine}"
            );
            assert_eq!((spring.len(), autumn.len()), (7, 7));
        }
    }

    #[test]
    fn an_hour_that_comes_twice_hides_nothing_of_what_comes_after() {
        let spec = json!({"engine": "Controller", "recurrence": {"frequency": "Minute", "interval": 10}, "timeZone": "Europe/Zurich"});
        let times = week(&spec, "2027-10-31T01:00:00Z");
        assert_eq!(times.first().map(String::as_str), Some("Sun 31 03:00+01:00"));
    }

    #[test]
    fn a_change_of_the_clock_has_both_offsets() {
        let clock = TimeZone::get("Europe/Zurich").unwrap();
        let (from, until) =
            ("2027-03-26T12:00:00Z".parse().unwrap(), "2027-04-02T12:00:00Z".parse().unwrap());
        let found = changes(&clock, from, until);
        assert_eq!(
            found,
            [("2027-03-28T01:00:00Z".parse().unwrap(), Offset::constant(1), Offset::constant(2))]
        );
        assert_eq!(changes(&TimeZone::UTC, from, until), []);
    }

    #[test]
    fn a_suspended_schedule_has_no_times() {
        assert_eq!(week(&json!({"cron": "0 4 * * *", "suspend": true}), "2027-03-26T12:00:00Z"), [""; 0]);
        assert_eq!(week(&json!({"cron": "0 4 * * *"}), "2027-03-26T12:00:00Z").len(), 7);
    }
}
