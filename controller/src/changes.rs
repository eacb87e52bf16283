//! Changes of MLRuns in this cluster, one by one. In: a client, changes of a plan. Out: nothing, or what Kubernetes refused.
//!
//! Each may be sent again: a name is given once, and a UID names one object. Decides nothing.

use crate::MANAGER;
use crate::named::named;
use azureml_client::Class;
use azureml_crds::{JOB, MLRun};
use azureml_plan::change::{Change, Which};
use azureml_plan::reasons::Reason;
use azureml_plan::trouble::Trouble;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, PartialObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

/// Carries out one change.
///
/// # Errors
/// When Kubernetes refuses, or does not answer, or somebody else made an MLRun of that name. That it is there already, or gone, is none.
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
        Err(kube::Error::Api(status)) if status.code == 409 => taken(api, change).await,
        Err(error) => Err(refused(change, &error)),
    }
}

/// Whether an answer means that what was to be done is done: the object is gone or another one.
fn is_as_good(change: &Change, code: u16) -> bool {
    match change {
        Change::Create { .. } => false,
        Change::Cancel(_) | Change::Delete(_) => matches!(code, 404 | 409),
    }
}

/// The name of an MLRun is given already: by an earlier process, or by a backup, which is as good, or by somebody else, who did not make
/// this run.
async fn taken(api: &Api<MLRun>, change: &Change) -> Result<(), Trouble> {
    let Change::Create { run, due } = change else { return Ok(()) };
    let name = change.name();
    match named(api, name).await {
        Ok(Some(found)) if is_ours(run, &found) || due.is_none() && is_restored(run, &found) => Ok(()),
        Ok(Some(_)) => {
            let message = format!(
                "MLRun {name} is not made; delete the MLRun of that name, or give it another one: it was made by somebody else"
            );
            Err(trouble(Class::Conflict, message))
        }
        Ok(None) => Err(trouble(Class::Unavailable, format!("MLRun {name} is not made; it is tried again"))),
        Err(error) => Err(refused(change, &error)),
    }
}

/// Whether an MLRun was made by the same object.
fn is_ours(run: &Value, found: &PartialObjectMeta<MLRun>) -> bool {
    let owner = run["metadata"]["ownerReferences"][0]["uid"].as_str();
    found.owner_references().iter().any(|known| Some(known.uid.as_str()) == owner)
}

/// Whether an MLRun is that of a version which has run before: the object that made it came back with another UID, or the run itself did.
/// The name says the version.
fn is_restored(run: &Value, found: &PartialObjectMeta<MLRun>) -> bool {
    let owner = &run["metadata"]["ownerReferences"][0];
    let is_same = |known: &OwnerReference| owner["kind"] == *known.kind && owner["name"] == *known.name;
    let mark = format!("{}/{}/", found.namespace().unwrap_or_default(), found.name_any());
    found.owner_references().iter().any(is_same)
        || found.annotations().get(JOB).is_some_and(|job| job.starts_with(&mark))
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
    trouble(class, message)
}

fn trouble(class: Class, message: String) -> Trouble {
    let (reason, words) = (Reason::RUN_NOT_MADE.into(), String::new());
    Trouble { class, reason, message, words, verb: "", retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use jiff::Timestamp;
    use std::sync::atomic::{AtomicU16, Ordering};
    use std::sync::{Arc, Mutex};

    /// What a list of one name holds.
    fn list(found: Option<Value>) -> Value {
        let items: Vec<Value> = found.into_iter().collect();
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {}, "items": items})
    }

    #[tokio::test]
    async fn an_mlrun_that_is_there_is_as_good_where_the_same_object_made_it() {
        let found = Arc::new(Mutex::new(None::<Value>));
        let answers = found.clone();
        let client = fake::client(move |asked| {
            let found = answers.lock().unwrap().clone();
            async move {
                match found {
                    _ if asked.method == "POST" => fake::refusal(409, "AlreadyExists"),
                    found => fake::answer(&list(found)),
                }
            }
        });
        let api: Api<MLRun> = Api::namespaced(client, "team-a");
        let of = |uid: &str| {
            let owner = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "name": "s", "uid": uid, "controller": true});
            json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLRun", "metadata": {"name": "a", "ownerReferences": [owner]},
                "spec": {"pipelineRef": {"name": "p"}}})
        };
        let mut marked = of("others");
        marked["metadata"] =
            json!({"name": "a", "namespace": "team-a", "annotations": {JOB: "team-a/a/r-1"}});
        let (for_a_time, for_a_version) = (Some(Timestamp::UNIX_EPOCH), None);
        for (due, there, class) in [
            (for_a_time, Some(of("ours")), None),
            (for_a_time, Some(of("others")), Some(Class::Conflict)),
            (for_a_time, Some(marked.clone()), Some(Class::Conflict)),
            (for_a_time, None, Some(Class::Unavailable)),
            // What a backup brought back: its owner has another UID now, or is not named any more.
            (for_a_version, Some(of("others")), None),
            (for_a_version, Some(marked), None),
            (
                for_a_version,
                Some(json!({"metadata": {"name": "a", "namespace": "team-a"}})),
                Some(Class::Conflict),
            ),
        ] {
            found.lock().unwrap().clone_from(&there);
            let answer = carry_out(&api, &Change::Create { run: of("ours"), due }).await;
            assert_eq!(answer.as_ref().err().map(|trouble| trouble.class), class, "{there:?}");
            assert!(answer.err().is_none_or(|trouble| trouble.message.contains("MLRun a is not made")));
        }
    }

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
            (create(), 409, Some(Class::Conflict)),
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
