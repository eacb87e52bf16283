//! Changes of MLRuns in this cluster, one by one. In: a client, changes of a plan. Out: nothing, or what Kubernetes refused.
//!
//! Each may be sent again: a name is given once, and a UID names one object. Decides nothing.

use crate::MANAGER;
use azureml_client::Class;
use azureml_crds::MLRun;
use azureml_plan::change::{Change, Which};
use azureml_plan::reasons::Reason;
use azureml_plan::trouble::Trouble;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;

/// Carries out one change.
///
/// # Errors
/// When Kubernetes refuses, or does not answer. That an MLRun is there already, or gone, is no error.
pub async fn carry_out(api: &Api<MLRun>, change: &Change) -> Result<(), Trouble> {
    let answer = match change {
        Change::Create { run, .. } => {
            let run = serde_json::from_value::<MLRun>(run.clone()).map_err(kube::Error::SerdeError);
            let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            match run {
                Ok(run) => api.create(&params, &run).await.map(drop),
                Err(error) => Err(error),
            }
        }
        Change::Cancel(Which { name, uid }) => {
            let patch = json!({"metadata": {"uid": uid}, "spec": {"cancel": true}});
            let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
            api.patch(name, &params, &Patch::Merge(&patch)).await.map(drop)
        }
        Change::Delete(Which { name, uid }) => {
            let preconditions = Preconditions { uid: Some(uid.clone()), resource_version: None };
            let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
            api.delete(name, &params).await.map(drop)
        }
    };
    match answer {
        Ok(()) => Ok(()),
        Err(kube::Error::Api(status)) if is_as_good(change, status.code) => Ok(()),
        Err(error) => Err(refused(change, &error)),
    }
}

/// Whether an answer means that what was to be done is done: the name is given already, or the object is gone or another one.
fn is_as_good(change: &Change, code: u16) -> bool {
    match change {
        Change::Create { .. } => code == 409,
        Change::Cancel(_) | Change::Delete(_) => matches!(code, 404 | 409),
    }
}

fn refused(change: &Change, error: &kube::Error) -> Trouble {
    let is_refusal =
        matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429);
    let (class, remedy) = if is_refusal {
        (Class::Conflict, Reason::RUN_NOT_MADE.remedy())
    } else {
        (Class::Unavailable, "it is tried again")
    };
    let verb = match change {
        Change::Create { .. } => "made",
        Change::Cancel(_) => "cancelled",
        Change::Delete(_) => "deleted",
    };
    let message = format!("MLRun {} is not {verb}; {remedy}; Kubernetes says: {error}", change.name());
    let (reason, words) = (Reason::RUN_NOT_MADE.into(), String::new());
    Trouble { class, reason, message, words, verb: "", retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU16, Ordering};

    #[tokio::test]
    async fn a_name_that_is_given_and_an_object_that_is_gone_are_no_failures() {
        let code = Arc::new(AtomicU16::new(0));
        let answers = code.clone();
        let client = fake::client(move |_| {
            let code = answers.load(Ordering::Relaxed);
            async move { fake::refusal(code, "Refused") }
        });
        let api: Api<MLRun> = Api::namespaced(client, "team-a");
        let which = || Which { name: "a".to_owned(), uid: "u".to_owned() };
        let run = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLRun", "metadata": {"name": "a"}, "spec": {"pipelineRef": {"name": "p"}}});
        let create = || Change::Create { run: run.clone(), due: None };
        for (change, status, class) in [
            (create(), 409, None),
            (create(), 403, Some(Class::Conflict)),
            (create(), 422, Some(Class::Conflict)),
            (create(), 404, Some(Class::Conflict)),
            (create(), 500, Some(Class::Unavailable)),
            (create(), 429, Some(Class::Unavailable)),
            (Change::Cancel(which()), 404, None),
            (Change::Cancel(which()), 409, None),
            (Change::Cancel(which()), 403, Some(Class::Conflict)),
            (Change::Delete(which()), 404, None),
            (Change::Delete(which()), 409, None),
            (Change::Delete(which()), 503, Some(Class::Unavailable)),
        ] {
            code.store(status, Ordering::Relaxed);
            let answer = carry_out(&api, &change).await;
            assert_eq!(answer.as_ref().err().map(|trouble| trouble.class), class, "{change:?} {status}");
            assert!(
                answer.is_ok() || answer.is_err_and(|trouble| trouble.message.contains("MLRun a is not "))
            );
        }
    }
}
