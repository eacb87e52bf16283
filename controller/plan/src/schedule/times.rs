//! What a schedule says by itself of when it fires: its expression, its zone, its start and its end.
//!
//! In: a spec. Out: times as the zone reads them, or everything that is wrong. Looks at no clock.

use crate::invalid::InvalidSpec;
use crate::{cron, tags, time, zones};
use azureml_crds::ml_schedule::{Engine, MLScheduleSpec};
use jiff::SignedDuration;

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
    let zone = match spec.engine.unwrap_or_default() {
        Engine::Azure => zones::zone(spec.time_zone.as_deref())?,
        Engine::Controller => zones::direct(spec.time_zone.as_deref())?,
    };
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
    let is_azure = spec.engine.unwrap_or_default() == Engine::Azure;
    let cron = spec.cron.iter().map(|cron| cron::check("cron", cron, is_azure));
    let crons = spec.crons.iter().enumerate();
    let crons = crons.map(|(place, cron)| cron::check(&format!("crons[{place}]"), cron, is_azure));
    let whole = [tags::unique(&spec.tags), deadline(spec).map(drop), times(spec).map(drop)];
    cron.chain(crons).chain(whole).filter_map(Result::err).collect()
}

/// How late a run may start that the controller makes.
pub(super) fn deadline(spec: &MLScheduleSpec) -> Result<SignedDuration, InvalidSpec> {
    let written = spec.starting_deadline.as_deref();
    written.map_or(Ok(DEADLINE), |text| time::duration("startingDeadline", text))
}

/// What the schema's words say of a deadline that is not written.
const DEADLINE: SignedDuration = SignedDuration::from_mins(30);
