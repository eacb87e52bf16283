//! Schedules whose every run takes the results of the first one: Azure ML runs a step again only where its component or an input
//! differs, and an address is the same whatever lies there.
//!
//! In: a schedule and its pipeline, in which nothing is wrong by themselves. Out: a warning, where everything is known of the pipeline.

use super::documents::Document;
use super::found::{Found, said};
use super::place::find;
use crate::convert::findings::Weight;
use azureml_crds::ml_pipeline::MLPipelineSpec;
use azureml_crds::ml_schedule::MLScheduleSpec;
use azureml_crds::step::Step;
use serde::de::DeserializeOwned;

/// What is said of the pipeline.
const MESSAGE: &str = "set defaults.forceRerun: true in the pipeline, or deterministic: false in a step; each firing has the same \
                       inputs, so Azure ML takes the results of the first run";

/// What a schedule is told whose runs differ in nothing.
pub(super) fn warning(schedule: &Document, pipeline: &Document) -> Option<Found> {
    let (fires, runs): (MLScheduleSpec, MLPipelineSpec) = (read(schedule)?, read(pipeline)?);
    if runs.defaults.as_ref().and_then(|defaults| defaults.force_rerun) == Some(true)
        || runs.steps.iter().any(may_differ)
        || runs.inputs.values().any(|input| input.r#ref.is_some() || input.path.as_deref().is_some_and(moves))
        || fires.inputs.iter().flatten().any(|(_, value)| value.as_str().is_some_and(moves))
    {
        return None;
    }
    let field = "spec.pipelineRef.name";
    let at = (find(&schedule.node, field), field);
    Some(said(Weight::Warning, &schedule.object(), at, MESSAGE, "SameInputs"))
}

/// Whether a step may run again though nobody changed it: it says so, it is defined elsewhere, or its data moves.
fn may_differ(step: &Step) -> bool {
    let is_elsewhere = step.component.is_some() || step.pipeline.is_some() || step.raw.is_some();
    let is_moving =
        step.data.values().any(|data| data.r#ref.is_some() || data.path.as_deref().is_some_and(moves));
    is_elsewhere || is_moving || step.deterministic == Some(false)
}

/// Whether a value is another one at another time: the label of a data asset, or the time of the firing.
fn moves(value: &str) -> bool {
    value.contains("${{") || (!value.contains("://") && value.contains('@'))
}

fn read<S: DeserializeOwned>(document: &Document) -> Option<S> {
    serde_json::from_value(document.spec.clone()).ok()
}
