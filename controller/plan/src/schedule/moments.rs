//! The moments at which a schedule of engine Controller fires: exact, also where the clock is changed.
//!
//! In: a spec, its zone, a moment. Out: the firing times after it. A time of day that the clock leaves out fires when the clock goes on;
//! one that comes twice fires the first time. Intervals (`*/15`) go by the time that passes. Source: the rules of croner, Vixie cron's.

use crate::firing::{self, Trigger, Window};
use crate::invalid::InvalidSpec;
use azureml_crds::ml_schedule::MLScheduleSpec;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::{SignedDuration, Timestamp, Zoned};

/// How many times are shown.
const SHOWN: usize = 5;
/// How far before its end the last moment of a span is looked for first.
const FIRST_STEP: SignedDuration = SignedDuration::from_mins(1);

/// What fires, read once.
pub struct Moments<'a> {
    spec: &'a MLScheduleSpec,
    window: Window,
    crons: Vec<Cron>,
}

impl<'a> Moments<'a> {
    /// The moments of a spec.
    ///
    /// # Errors
    /// When an expression is refused.
    pub fn of(spec: &'a MLScheduleSpec, window: Window) -> Result<Self, InvalidSpec> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let read = |text: &String| {
            let refused = |error: &dyn std::fmt::Display| {
                InvalidSpec::new("cron", format!("{text:?} is refused: {error}"))
            };
            parser.parse(text).map_err(|error| refused(&error))
        };
        let crons = spec.cron.iter().chain(&spec.crons).map(read).collect::<Result<_, _>>()?;
        Ok(Self { spec, window, crons })
    }

    /// The first moment after another.
    #[must_use]
    pub fn after(&self, moment: Timestamp) -> Option<Zoned> {
        let start = self.window.start.to_zoned(self.window.clock.clone()).ok()?;
        // A start is a firing time itself, where it is one.
        let before_start = start.timestamp().checked_sub(SignedDuration::from_secs(1)).ok()?;
        let from = moment.max(before_start).to_zoned(self.window.clock.clone());
        let of_crons = self.crons.iter().filter_map(|cron| cron.find_next_occurrence(&from, false).ok());
        let first = of_crons.chain(self.of_recurrence(moment)).min_by_key(Zoned::timestamp)?;
        let is_inside = self.window.end.is_none_or(|end| first.datetime() <= end);
        (is_inside && first.timestamp() > moment).then_some(first)
    }

    fn of_recurrence(&self, moment: Timestamp) -> Option<Zoned> {
        let recurrence = Trigger::Recurrence(self.spec.recurrence.as_ref()?);
        firing::next(&recurrence, &self.window, moment).ok()?.into_iter().next()
    }

    /// The last moment after one, up to another. It is looked for from the end, further back each time: most are near it.
    #[must_use]
    pub fn last(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let next = |from: &Timestamp| self.after(*from).map(|next| next.timestamp());
        let mut step = FIRST_STEP;
        let mut from = back(until, step, after);
        while from > after && next(&from).is_none_or(|next| next > until) {
            step = step.saturating_add(step);
            from = back(until, step, after);
        }
        std::iter::successors(next(&from), next).take_while(|moment| *moment <= until).last()
    }

    /// The next moments, as `status` shows them.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> Vec<String> {
        let next = |from: &Zoned| self.after(from.timestamp());
        let all = std::iter::successors(self.after(now), next).take(SHOWN);
        all.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).collect()
    }
}

/// A step back, and not further than to a moment.
fn back(from: Timestamp, step: SignedDuration, to: Timestamp) -> Timestamp {
    from.checked_sub(step).map_or(to, |earlier| earlier.max(to))
}
