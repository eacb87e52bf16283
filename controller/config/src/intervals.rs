//! How often things are looked at and tried again.

use super::durations::{duration, three_durations};
use azureml_plan::context::Pace;
use jiff::SignedDuration;
use serde::Deserialize;

/// How often things are looked at and tried again.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Intervals {
    /// How often everything is compared with Azure, where an MLWorkspace does not say it.
    #[serde(deserialize_with = "duration")]
    pub resync: SignedDuration,
    /// The first look at something that goes on in Azure; the delay doubles from there.
    #[serde(deserialize_with = "duration")]
    pub first_look: SignedDuration,
    /// The longest delay between looks at something that goes on in Azure.
    #[serde(deserialize_with = "duration")]
    pub longest_look: SignedDuration,
    /// The first look at a job; the delay doubles up to a minute.
    #[serde(deserialize_with = "duration")]
    pub first_job_look: SignedDuration,
    /// The longest delay between looks at a job.
    #[serde(deserialize_with = "duration")]
    pub longest_job_look: SignedDuration,
    /// The shortest time between two lists of the same resources.
    #[serde(deserialize_with = "duration")]
    pub list_spacing: SignedDuration,
    /// The first delay after a failure that may pass by itself; it doubles from there.
    #[serde(deserialize_with = "duration")]
    pub backoff: SignedDuration,
    /// The longest delay after a failure that may pass by itself.
    #[serde(deserialize_with = "duration")]
    pub longest_backoff: SignedDuration,
    /// The delays before a provisioning that failed is tried again.
    #[serde(deserialize_with = "three_durations")]
    pub provisioning: [SignedDuration; 3],
    /// The delay when only a change can help.
    #[serde(deserialize_with = "duration")]
    pub stalled: SignedDuration,
    /// How long after a moment at which a schedule was to fire it is first judged whether it did. Its job is looked for after an eighth
    /// of that, and a run that goes on is looked at after an eighth of that up to two and a half times that.
    #[serde(deserialize_with = "duration")]
    pub firing_check: SignedDuration,
}

impl Default for Intervals {
    fn default() -> Self {
        let pace = Pace::default();
        Self {
            resync: SignedDuration::from_mins(10),
            first_look: SignedDuration::from_secs(1),
            longest_look: SignedDuration::from_secs(15),
            first_job_look: SignedDuration::from_secs(10),
            longest_job_look: SignedDuration::from_mins(1),
            list_spacing: SignedDuration::from_millis(250),
            backoff: pace.first,
            longest_backoff: pace.longest,
            provisioning: pace.provisioning,
            stalled: pace.stalled,
            firing_check: pace.firing,
        }
    }
}

impl Intervals {
    /// The part that decisions know.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            first: self.backoff,
            longest: self.longest_backoff,
            provisioning: self.provisioning,
            stalled: self.stalled,
            firing: self.firing_check,
        }
    }
}
