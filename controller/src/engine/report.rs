//! The voice: one status patch for a pass, none when nothing changed; and the events that go with it.
//!
//! In: the facts, the verdict, what was remembered of failures. Out: the object as it is now. Never reads a condition to decide.

use super::kind::StatusOf;
use super::{Context, Kind};
use crate::MANAGER;
use azureml_crds::shared::{Common, HasCommon as _, LastFailure};
use azureml_plan::{Ask, Plan, report};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a pass has to say.
pub struct Said<S> {
    /// The kind's facts.
    pub facts: S,
    /// The plan that was carried out.
    pub plan: Plan,
    /// The failures in a row after this pass.
    pub last_failure: Option<LastFailure>,
    /// Whether the request for a pass was handled.
    pub is_handled: bool,
}

/// The status after a pass.
pub fn status<K: Kind>(object: &K, said: Said<StatusOf<K>>, ask: &Ask) -> StatusOf<K> {
    let Said { mut facts, plan, last_failure, is_handled } = said;
    let before = object.status().map(|status| status.common().clone()).unwrap_or_default();
    let (generation, is_paused) = (object.meta().generation, report::is_paused(object.meta()));
    let (azure_id, joined) = (facts.common_mut().azure_id.take(), facts.common_mut().workspace_id.take());
    let passed = report::Passed { plan, last_failure, is_handled, is_paused, generation };
    let common = report::common(before, passed, ask);
    *facts.common_mut() = Common { azure_id, workspace_id: joined.or(common.workspace_id.clone()), ..common };
    facts
}

/// The status as a patch of the object as it was read: that of a process that was suspended with it on the way, and that comes after
/// the next leader's, is refused.
fn patch<K: Kind>(object: &K, status: &StatusOf<K>) -> Value {
    let metadata = json!({"resourceVersion": object.meta().resource_version});
    json!({"apiVersion": K::api_version(&()), "kind": K::KIND, "metadata": metadata, "status": status})
}

/// Writes a status that differs from the one before, and records what became another.
///
/// # Errors
/// When Kubernetes refuses, also because the object was changed meanwhile; an object that is gone is no error.
pub async fn write<K: Kind>(
    ctx: &Context,
    api: &Api<K>,
    object: &K,
    status: StatusOf<K>,
) -> kube::Result<Option<Arc<K>>> {
    if object.status() == Some(&status) {
        return Ok(None);
    }
    let patch = patch(object, &status);
    let name = object.meta().name.as_deref().unwrap_or_default();
    let written = {
        let Some(_permit) = ctx.write_permit().await else { return Ok(None) };
        api.patch_status(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch)).await
    };
    let none = Vec::new();
    let before = object.status().map_or(&none, |status| &status.common().conditions);
    match written {
        Ok(written) => {
            ctx.recorder.transitions(&object.object_ref(&()), before, &status.common().conditions);
            Ok(Some(Arc::new(written)))
        }
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::MLCompute;

    #[test]
    fn a_status_is_written_over_the_object_as_it_was_read_and_over_no_other() {
        let object = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute",
            "metadata": {"name": "cpu", "namespace": "n", "resourceVersion": "42"},
            "spec": {"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 4}},
        });
        let object: MLCompute = serde_json::from_value(object).unwrap();
        let patch = patch(&object, &StatusOf::<MLCompute>::default());
        assert_eq!(patch["metadata"], json!({"resourceVersion": "42"}));
    }
}
