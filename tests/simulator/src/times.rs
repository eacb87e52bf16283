//! How long Azure takes, as recorded: operations by kind, answers by what is asked. All of it is scaled by one number.
//! In: the scale. Out: durations. Sources: times of operations and of answers in recordings of 2022 to 2026; nothing is
//! recorded of nodes and of steps, whose times are this simulator's own.

use crate::arm::operations::Work;
use jiff::SignedDuration;
use std::time::Duration;

/// How long things take by themselves.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A schedule that is made or changed: the median. Single ones are there at once or take nearly four times as long.
    pub schedule: Duration,
    /// Whether single schedules take more or less than the median.
    pub spreads: bool,
    /// A cluster that is made, changed or removed.
    pub cluster: Duration,
    /// A batch endpoint that is made or changed, and a deployment behind one.
    pub endpoint: Duration,
    /// A schedule, an endpoint or a deployment that is removed.
    pub deletion: Duration,
    /// A job that is cancelled or removed.
    pub cancel: Duration,
    /// A running step that is not executed.
    pub step: Duration,
    /// The preparation of a step on its node; without one, a quarter of the step.
    pub preparation: Option<Duration>,
    /// A running build.
    pub build: Duration,
    /// The preparation, and the removal, of a node.
    pub node: Duration,
    /// Which part of the time that Azure takes for an answer each answer takes.
    pub answers: f64,
}

/// Schedules by how long they took, in parts of the median: at once, three times about the median, up to 22 seconds.
const SPREAD: [f64; 7] = [0.0, 0.4, 0.8, 1.0, 1.2, 3.0, 3.6];

impl Times {
    /// The times of Azure, times `scale`.
    #[must_use]
    pub fn scaled(scale: f64) -> Self {
        let seconds = |seconds: f64| part(Duration::from_secs_f64(seconds), scale);
        Self {
            schedule: seconds(6.0),
            spreads: true,
            cluster: seconds(20.0),
            endpoint: seconds(30.0),
            deletion: seconds(10.0),
            cancel: seconds(15.0),
            step: seconds(20.0),
            preparation: None,
            build: seconds(28.0),
            node: seconds(5.0),
            answers: scale,
        }
    }

    /// How long an operation takes. `seed` is what tells it from others of its kind.
    pub(crate) fn of(&self, work: &Work, seed: &str) -> SignedDuration {
        let whole = match work {
            Work::ScheduleWritten(..) if self.spreads => {
                let place = seed.bytes().map(usize::from).sum::<usize>() % SPREAD.len();
                part(self.schedule, SPREAD[place])
            }
            Work::ScheduleWritten(..) => self.schedule,
            Work::ComputeWritten(..) | Work::ComputeDeleted(..) => self.cluster,
            Work::EndpointWritten(..) | Work::DeploymentWritten(..) => self.endpoint,
            Work::ScheduleDeleted(..) | Work::EndpointDeleted(..) | Work::DeploymentDeleted(..) => {
                self.deletion
            }
            Work::JobCanceled(..) | Work::JobDeleted(..) => self.cancel,
            Work::BuildEnded => self.build,
        };
        SignedDuration::try_from(whole).unwrap_or(SignedDuration::MAX)
    }

    /// How long the answer to a request of the resource manager takes: the recorded median.
    pub(crate) fn answer(&self, method: &str, path: &[String]) -> Duration {
        let has = |word: &str| path.iter().any(|segment| segment.eq_ignore_ascii_case(word));
        if !has("providers") {
            return Duration::ZERO;
        }
        let seconds = match method {
            "PUT" if has("jobs") => 2.6,
            "PUT" if has("deployments") => 2.0,
            "PUT" if has("computes") => 1.0,
            "PUT" if has("components") => 0.9,
            "POST" if has("cancel") => 0.8,
            "PUT" if has("environments") => 0.35,
            "PUT" if has("codes") => 0.2,
            "GET" => 0.1,
            _ => 0.3,
        };
        part(Duration::from_secs_f64(seconds), self.answers)
    }
}

impl Default for Times {
    /// Azure's order of things, a hundred times as fast: everything ends within a second.
    fn default() -> Self {
        Self::scaled(0.01)
    }
}

/// A part of a duration; a part that is no number is none of it.
fn part(whole: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * scale).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_scales_everything_and_the_order_stays() {
        for scale in [1.0, 0.01] {
            let times = Times::scaled(scale);
            assert!(times.schedule < times.cluster && times.cluster < times.endpoint);
            let put = |word: &str| times.answer("PUT", &["providers".to_owned(), word.to_owned()]);
            assert!(put("jobs") > put("components") && put("components") > put("environments"));
        }
        assert_eq!(Times::scaled(1.0).schedule, Duration::from_secs(6));
        assert_eq!(Times::scaled(0.0).endpoint, Duration::ZERO);
        assert_eq!(Times::scaled(f64::NAN).endpoint, Duration::ZERO);
    }

    #[test]
    fn schedules_appear_at_once_or_after_up_to_22_seconds() {
        let work = Work::ScheduleWritten("w".into(), "s".into());
        let times = Times::scaled(1.0);
        let all: Vec<i64> =
            ["a", "b", "c", "d", "e", "f", "g"].iter().map(|seed| times.of(&work, seed).as_secs()).collect();
        assert!(all.contains(&0) && all.iter().max() == Some(&21), "{all:?}");
    }
}
