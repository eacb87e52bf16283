//! What a schedule says by itself of when it fires: its expression, its zone, its start and its end.
//!
//! In: a spec. Out: times as the zone reads them, or everything that is wrong. Looks at no clock.

use crate::invalid::InvalidSpec;
use crate::{cron, tags, time, zones};
use azureml_crds::ml_schedule::MLScheduleSpec;

/// The times of a schedule, without an offset, as its zone reads them.
pub(super) struct Times {
    /// The zone in force.
    pub zone: zones::Zone,
    /// The user's start, where one is written.
    pub start: Option<String>,
    /// The user's end, where one is written.
    pub end: Option<String>,
}

/// The times of a schedule.
pub(super) fn times(spec: &MLScheduleSpec) -> Result<Times, InvalidSpec> {
    let zone = zones::zone(spec.time_zone.as_deref())?;
    let local = |field: &str, text: &Option<String>| {
        text.as_deref().map(|text| time::in_zone(field, text, &zone.clock)).transpose()
    };
    let (start, end) = (local("startTime", &spec.start_time)?, local("endTime", &spec.end_time)?);
    if let (Some(start), Some(end)) = (&start, &end)
        && start >= end
    {
        return Err(InvalidSpec::new("endTime", format!("{end} is not after startTime, {start}")));
    }
    Ok(Times { zone, start, end })
}

/// Everything that is wrong with a schedule by itself, whatever its pipeline takes.
#[must_use]
pub fn check(spec: &MLScheduleSpec) -> Vec<InvalidSpec> {
    let cron = spec.cron.as_deref().map_or(Ok(()), cron::check);
    [tags::unique(&spec.tags), cron, times(spec).map(drop)].into_iter().filter_map(Result::err).collect()
}
