//! How long an MLRun is kept after its end, as the spec says or for ever where Flux or Argo CD would make it again; and what is worth a
//! warning beside that.

use crate::reasons::Reason;
use crate::{hash, time};
use azureml_crds::MLRun;
use jiff::Timestamp;
use serde_json::json;

/// Until when the object is kept after its end, where the spec says it. What Flux or Argo CD manages is kept for ever:
/// they would make it again.
#[must_use]
pub fn kept_until(run: &MLRun) -> Option<Timestamp> {
    kept_after(run, run.status.as_ref()?.finished_at.as_ref()?.0)
}

/// The same for an end that `status` does not tell yet.
pub(super) fn kept_after(run: &MLRun, end: Timestamp) -> Option<Timestamp> {
    if is_managed(run) {
        return None;
    }
    let keep = time::duration("ttlAfterFinished", run.spec.ttl_after_finished.as_deref()?).ok()?;
    end.checked_add(keep).ok()
}

/// Whether the object has been kept for long enough after its end.
#[must_use]
pub fn is_expired(run: &MLRun, now: Timestamp) -> bool {
    kept_until(run).is_some_and(|until| until <= now)
}

/// Labels of Flux and of Argo CD.
pub const MANAGED: [&str; 3] =
    ["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name", "argocd.argoproj.io/instance"];

/// The annotation of Argo CD.
pub const TRACKED: &str = "argocd.argoproj.io/tracking-id";

/// Whether Flux or Argo CD manages the object.
fn is_managed(run: &MLRun) -> bool {
    let meta = &run.metadata;
    let by_label =
        meta.labels.as_ref().is_some_and(|labels| MANAGED.iter().any(|key| labels.contains_key(*key)));
    by_label || meta.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(TRACKED))
}

/// What is worth a warning when the run ends.
pub(super) fn warnings(run: &MLRun) -> Vec<(Reason, String)> {
    if run.spec.ttl_after_finished.is_none() || !is_managed(run) {
        return Vec::new();
    }
    let message = "ttlAfterFinished is ignored, since Flux or Argo CD would make the object again; make runs with kubectl create";
    vec![(Reason::TTL_IGNORED, message.to_owned())]
}

/// The hash of the values that a run is sent with.
pub(super) fn inputs_hash(run: &MLRun) -> String {
    hash::content("run", &json!({"inputs": run.spec.inputs}))
}

/// A warning for values that were changed when they had been sent.
pub(super) fn ignored(run: &MLRun) -> Option<(Reason, String)> {
    let sent = run.status.as_ref()?.common.applied_hash.as_ref()?;
    let message =
        "inputs: they were sent already, so the change is ignored; make a new MLRun for other values";
    (*sent != inputs_hash(run)).then(|| (Reason::INPUTS_IGNORED, message.to_owned()))
}
