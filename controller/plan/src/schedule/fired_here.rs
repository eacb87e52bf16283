//! Whose turn it is to fire a schedule.

use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::Engine;

/// Whether this controller fires the schedule, and Azure knows nothing of it.
#[must_use]
pub fn is_fired_here(schedule: &MLSchedule) -> bool {
    schedule.spec.engine == Some(Engine::Controller)
}
