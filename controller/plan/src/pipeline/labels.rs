//! The labels of assets that a pipeline names, and that are looked up before it is registered; and when they are looked up again.
//!
//! In: a pipeline, now. Out: labels, each once; a moment. Those of its inputs are for runs, which look them up themselves.

use crate::asset_name::{Collection, Label, Pins, all};
use crate::context::Ask;
use crate::reasons::Reason;
use crate::time;
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::shared::ResolvedAsset;
use azureml_crds::step::{Environment, Step};
use jiff::Timestamp;

/// The labels that a pipeline registers with its steps.
#[must_use]
pub fn labels(pipeline: &MLPipeline, workspace: &ArmId) -> Vec<Label> {
    let steps = &pipeline.spec.steps;
    let defaults = pipeline.spec.defaults.iter().filter_map(|defaults| defaults.environment.as_ref());
    let environments = steps.iter().filter_map(|step| step.environment.as_ref()).chain(defaults);
    let environments = environments.filter_map(of_environment);
    all(environments.chain(steps.iter().flat_map(of_step)), workspace)
}

/// When labels are looked up again that a status tells: an interval after the one that was looked up first.
pub(super) fn looked_up_again(pipeline: &MLPipeline, resolved: &[ResolvedAsset]) -> Option<Timestamp> {
    let interval = time::duration("refresh", pipeline.spec.refresh.as_deref()?).ok()?;
    resolved.iter().map(|one| one.at.0).min()?.checked_add(interval).ok()
}

/// Whether what labels were found to mean is not used any more: somebody asks, or the interval has passed.
#[must_use]
pub fn are_labels_due(pipeline: &MLPipeline, ask: &Ask) -> bool {
    let told = pipeline.status.as_ref().map(|status| status.resolved.as_slice()).unwrap_or_default();
    let failure = pipeline.status.as_ref().and_then(|status| status.common.last_failure.as_ref());
    // A request that found nothing is not fulfilled by what was known before.
    let was_missing = failure.is_some_and(|failure| failure.reason == Reason::REFERENCE_NOT_FOUND.word());
    ask.requested.is_some() || was_missing || looked_up_again(pipeline, told).is_some_and(|at| at <= ask.now)
}

/// What status tells of labels after a pass. With an interval each has the time of its last look, from which the interval counts.
pub(super) fn resolved(pipeline: &MLPipeline, pins: &Pins, ask: &Ask) -> Vec<ResolvedAsset> {
    let told = pipeline.status.as_ref().map(|status| status.resolved.as_slice()).unwrap_or_default();
    let is_counted = pipeline.spec.refresh.is_some() && are_labels_due(pipeline, ask);
    pins.status(if is_counted { &[] } else { told }, ask.now)
}

fn of_environment(environment: &Environment) -> Option<(&str, Collection)> {
    Some((environment.id.as_deref()?, Collection::Environments))
}

fn of_step(step: &Step) -> impl Iterator<Item = (&str, Collection)> {
    let nested = step.pipeline.iter().filter_map(|nested| nested.component.as_deref());
    let components = step.component.as_deref().into_iter().chain(nested);
    let data = step.data.values().filter_map(|data| Some((data.path.as_deref()?, Collection::Data)));
    components.map(|component| (component, Collection::Components)).chain(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Pace;
    use azureml_crds::ml_pipeline::MLPipelineStatus;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pipeline(refresh: Option<&str>, told: &[i64]) -> MLPipeline {
        let spec = json!({"workspaceRef": {"name": "w"}, "refresh": refresh, "steps": []});
        let mut pipeline: MLPipeline =
            serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).unwrap();
        let one = |second: &i64| ResolvedAsset {
            asset: format!("azureml:e{second}@latest"),
            id: "i".into(),
            at: Time(at(*second)),
        };
        pipeline.status = Some(MLPipelineStatus {
            resolved: told.iter().map(one).collect(),
            ..MLPipelineStatus::default()
        });
        pipeline
    }

    fn ask(second: i64, requested: Option<&str>) -> Ask {
        let requested = requested.map(str::to_owned);
        Ask { now: at(second), pace: Pace::default(), requested, is_new_generation: false, may_appear: false }
    }

    #[test]
    fn labels_are_due_an_interval_after_the_oldest_look_and_not_before() {
        for (refresh, told, now, requested, expected) in [
            (None, &[0][..], 1_000_000, None, false),
            (None, &[0], 0, Some("now"), true),
            (Some("1h"), &[0], 3_599, None, false),
            (Some("1h"), &[0], 3_600, None, true),
            // One that was added later comes along with the others.
            (Some("1h"), &[0, 1_800], 3_600, None, true),
            (Some("1h"), &[1_800, 3_000], 3_600, None, false),
            // A clock that went back asks for nothing.
            (Some("1h"), &[9_000], 3_600, None, false),
            (Some("1h"), &[], 3_600, None, false),
        ] {
            let is_due = are_labels_due(&pipeline(refresh, told), &ask(now, requested));
            assert_eq!(is_due, expected, "{refresh:?} {told:?} {now} {requested:?}");
        }
    }

    #[test]
    fn the_time_of_a_look_is_kept_where_an_interval_counts_from_it() {
        let label = Label {
            asset: "azureml:e0@latest".into(),
            container: ArmId::workspace("s", "g", "w").child("environments", "e0"),
            label: "latest".into(),
        };
        let mut pins = Pins::default();
        pins.pin(label, "1");
        let id = pins.ids().next().unwrap().to_string();
        for (refresh, now, expected) in [(Some("1h"), 3_599, 0), (Some("1h"), 3_600, 3_600), (None, 3_600, 0)]
        {
            let mut pipeline = pipeline(refresh, &[0]);
            if let Some(one) = pipeline.status.as_mut().and_then(|status| status.resolved.first_mut()) {
                one.id.clone_from(&id);
            }
            let after = resolved(&pipeline, &pins, &ask(now, None));
            assert_eq!(after[0].at.0, at(expected), "{refresh:?} {now}");
        }
    }
}
