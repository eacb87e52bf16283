//! One MLRun for each new version of a pipeline, made when the version is in force and everything of it is ready.
//!
//! In: a pipeline, what it decided. Out: the MLRun to make; which version is still to be run. The name is made of the version, so that
//! a version runs once, whatever crashes.

use super::seen::Presence;
use crate::action::{Next, Plan, State};
use crate::change::Change;
use crate::{View, hash, names};
use azureml_crds::ml_pipeline::MLPipelineStatus;
use azureml_crds::{MLPipeline, MLRun};
use kube::Resource as _;
use serde_json::{Value, json};

/// So many digits of a version name its run.
const DIGITS: usize = 12;

/// The name of the run of a version.
fn name(pipeline: &MLPipeline, version: &str) -> String {
    names::object(pipeline.metadata.name.as_deref().unwrap_or_default(), hash::cut(version, DIGITS))
}

/// The version that comes into force by this pass.
fn comes<'a>(pipeline: &MLPipeline, view: &View<'a, MLPipeline>) -> Option<&'a str> {
    let before = pipeline.status.as_ref().and_then(|status| status.current.as_ref());
    let version = &view.wanted.current.version;
    let is_new = before.is_none_or(|before| before.version != *version);
    (view.seen.whole == Presence::Here && is_new).then_some(version)
}

/// Adds the run of the version in force, where it is still to be made.
pub(super) fn add(pipeline: &MLPipeline, view: &View<'_, MLPipeline>, plan: &mut Plan) {
    if pipeline.spec.run_on_change.is_none() {
        return;
    }
    if comes(pipeline, view).is_some() && plan.verdict.state == State::Ready {
        // A run takes the version that `status` has, so that is written first.
        plan.next = Next::Now;
        return;
    }
    let due = pipeline.status.as_ref().and_then(|status| status.pending_run.as_ref());
    if plan.verdict.state == State::Ready && due == Some(&view.wanted.current.version) {
        let run = body(pipeline, &view.wanted.current.version);
        plan.cluster.push(Change::Create { run, due: None });
    }
}

/// The version that is still to be run, after a plan.
pub(super) fn pending(
    pipeline: &MLPipeline,
    view: &View<'_, MLPipeline>,
    plan: &Plan,
    status: &MLPipelineStatus,
) -> Option<String> {
    pipeline.spec.run_on_change.as_ref()?;
    if let Some(version) = comes(pipeline, view) {
        return Some(version.to_owned());
    }
    let pending = status.pending_run.clone()?;
    let made = name(pipeline, &pending);
    (!plan.cluster.iter().any(|change| change.name() == made)).then_some(pending)
}

fn body(pipeline: &MLPipeline, version: &str) -> Value {
    let meta = &pipeline.metadata;
    let asked = pipeline.spec.run_on_change.as_ref();
    let mut spec = json!({"pipelineRef": {"name": meta.name}});
    if let Some(inputs) = asked.and_then(|asked| asked.inputs.as_ref()) {
        spec["inputs"] = json!(inputs);
    }
    if let Some(keep) = asked.and_then(|asked| asked.ttl_after_finished.as_ref()) {
        spec["ttlAfterFinished"] = json!(keep);
    }
    json!({
        "apiVersion": MLRun::api_version(&()),
        "kind": MLRun::kind(&()),
        "metadata": {
            "name": name(pipeline, version),
            "namespace": meta.namespace,
            "ownerReferences": [{
                "apiVersion": MLPipeline::api_version(&()), "kind": MLPipeline::kind(&()), "name": meta.name,
                "uid": meta.uid, "controller": true, "blockOwnerDeletion": false,
            }],
        },
        "spec": spec,
    })
}
