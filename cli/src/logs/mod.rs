//! `kubectl azureml logs`: what a run, or the build of an image, writes. `scheduled.rs` knows which run of a schedule that is.
//!
//! In: an object and the MLWorkspaces of its namespace, as kubectl shows them. Out: where its logs are, and which of them are for people. Only
//! `read.rs` asks Azure, and only reads.

pub mod read;
pub mod scheduled;
pub mod step;

use crate::thing::is_finished;
use azureml_client::ArmId;
use serde_json::Value;

/// Where logs are.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A job of Azure ML.
    Job {
        /// The job.
        id: ArmId,
        /// The address of the workspace's data plane.
        data_plane: String,
        /// The component that it runs, by which its steps are named.
        component: Option<ArmId>,
    },
    /// A run of ACR Tasks.
    Build {
        /// The registry.
        registry: ArmId,
        /// The name of the run there.
        run: String,
    },
}

/// The logs of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where they are.
    pub place: Place,
    /// The cloud of the MLWorkspace, where it names one.
    pub cloud: Option<String>,
    /// Where a browser shows them.
    pub studio: Option<String>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Where the logs of an object are.
///
/// # Errors
/// When it has none yet, or of its kind nothing has, with what to do.
pub fn source(object: &Value, workspaces: &[Value]) -> Result<Source, String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    match kind {
        "MLRun" => run(name, &object["status"], workspaces),
        "MLEnvironment" => build(name, object, workspaces),
        _ => Err(format!(
            "an {kind} has no logs; name mlrun/<name>, mlschedule/<name> or mlenvironment/<name>"
        )),
    }
}

fn run(name: &str, status: &Value, workspaces: &[Value]) -> Result<Source, String> {
    let id = job(status).ok_or_else(|| {
        format!("MLRun/{name} has no job yet; look at its conditions: kubectl describe mlrun {name}")
    })?;
    let of = |one: &&Value| id.enclosing_workspace() == Some(in_azure(one));
    let workspace = workspaces.iter().find(of);
    let workspace = workspace.ok_or_else(|| {
        format!("no MLWorkspace that can be read is that of {id}; apply it, or ask for the right to read it")
    })?;
    let studio = text(&status["studioUrl"]);
    let component = text(&status["pipeline"]["componentId"]).and_then(|id| ArmId::parse(&id).ok());
    Ok(Source { place: in_job(id, workspace, component)?, cloud: text(&workspace["spec"]["cloud"]), studio })
}

/// A job of a workspace.
fn in_job(id: ArmId, workspace: &Value, component: Option<ArmId>) -> Result<Place, String> {
    let data_plane = text(&workspace["status"]["dataPlane"])
        .ok_or_else(|| "the MLWorkspace has no status.dataPlane yet; wait until it is Ready".to_owned())?;
    Ok(Place::Job { id, data_plane, component })
}

/// The id of the workspace that an MLWorkspace stands for.
fn in_azure(workspace: &Value) -> ArmId {
    let part = |key: &str| workspace["spec"][key].as_str().unwrap_or_default();
    ArmId::workspace(part("subscriptionId"), part("resourceGroup"), part("workspaceName"))
}

/// The MLWorkspace that an object of the namespace `own` names.
fn referenced<'a>(named: &Value, own: &Value, workspaces: &'a [Value]) -> Result<&'a Value, String> {
    let namespace = if named["namespace"].is_null() { own } else { &named["namespace"] };
    let is_it = |one: &&Value| {
        let meta = &one["metadata"];
        meta["name"] == named["name"] && (meta["namespace"] == *namespace || named["namespace"].is_null())
    };
    workspaces.iter().find(is_it).ok_or_else(|| {
        let name = named["name"].as_str().unwrap_or_default();
        format!("there is no MLWorkspace/{name} that can be read; apply it, or ask for the right to read it")
    })
}

/// The job of a run, by its status.
fn job(status: &Value) -> Option<ArmId> {
    text(&status["azureId"]).and_then(|id| ArmId::parse(&id).ok())
}

fn build(name: &str, object: &Value, workspaces: &[Value]) -> Result<Source, String> {
    let run = text(&object["status"]["build"]["runId"]).ok_or_else(|| {
        format!(
            "MLEnvironment/{name} has no build that started; one with image has none at all, and one that Azure ML builds writes into the log of \
             its first job"
        )
    })?;
    let own = &object["metadata"]["namespace"];
    let workspace = referenced(&object["spec"]["workspaceRef"], own, workspaces)?;
    let registry = text(&workspace["status"]["registry"]["resourceId"]).and_then(|id| ArmId::parse(&id).ok());
    let registry = registry
        .ok_or_else(|| "the MLWorkspace has no status.registry yet; wait until it is Ready".to_owned())?;
    Ok(Source {
        place: Place::Build { registry, run },
        cloud: text(&workspace["spec"]["cloud"]),
        studio: None,
    })
}

/// Whether a run has no job yet, and may still get one.
#[must_use]
pub fn is_to_come(object: &Value) -> bool {
    let status = &object["status"];
    object["kind"] == "MLRun" && status["azureId"].is_null() && !has_ended(status)
}

fn has_ended(status: &Value) -> bool {
    status["phase"].as_str().is_some_and(is_finished)
}

/// What comes after the end of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing: the run has ended with it.
    Nothing,
    /// The job of another attempt, which is there.
    Another,
    /// The operator has not said yet whether another attempt comes.
    Unknown,
}

/// What comes after the end of a job, by the MLRun as it is then.
#[must_use]
pub fn after(run: &Value, ended: &ArmId) -> After {
    let status = &run["status"];
    match job(status) {
        Some(id) if id != *ended => After::Another,
        _ if has_ended(status) => After::Nothing,
        _ => After::Unknown,
    }
}

/// The logs of a run that people read, of those that run history has: what the command wrote; else those of the pipeline; else all.
#[must_use]
pub fn chosen(files: &Value) -> Vec<(String, String)> {
    let all: Vec<(String, String)> = files
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, address)| Some((name.clone(), text(address)?)))
        .collect();
    for folder in ["user_logs/", "azureml-logs/", "logs/"] {
        let some: Vec<(String, String)> =
            all.iter().filter(|(name, _)| name.starts_with(folder)).cloned().collect();
        if !some.is_empty() {
            return some;
        }
    }
    all
}

/// Whether nothing is written any more in a state of Azure ML or of ACR Tasks. A job that is being cancelled, or whose node does not answer,
/// may still write.
#[must_use]
pub fn is_over(state: &str) -> bool {
    ["Completed", "Failed", "Canceled", "Succeeded", "Error", "Timeout"].contains(&state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WORKSPACE: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";

    fn workspace() -> Value {
        json!({"kind": "MLWorkspace", "metadata": {"name": "team-a"},
            "spec": {"subscriptionId": "S", "resourceGroup": "g", "workspaceName": "w", "cloud": "AzureChina"},
            "status": {"dataPlane": "https://w.api.azureml.ms", "registry": {"resourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"}}})
    }

    #[test]
    fn logs_are_where_the_job_or_the_build_is() {
        let run = json!({"kind": "MLRun", "metadata": {"name": "a"}, "status": {"azureId": format!("{WORKSPACE}/jobs/j"), "studioUrl": "https://x"}});
        let found = source(&run, &[workspace()]).unwrap();
        assert_eq!(
            (found.cloud.as_deref(), found.studio.as_deref()),
            (Some("AzureChina"), Some("https://x"))
        );
        assert!(matches!(found.place, Place::Job { id, .. } if id.name() == "j"));
        let environment = json!({"kind": "MLEnvironment", "metadata": {"name": "e"}, "spec": {"workspaceRef": {"name": "team-a"}},
            "status": {"build": {"runId": "cf1"}}});
        assert!(
            matches!(source(&environment, &[workspace()]).unwrap().place, Place::Build { run, .. } if run == "cf1")
        );
    }

    #[test]
    fn what_has_no_logs_says_what_to_do() {
        let kinds = ["MLRun", "MLEnvironment", "MLPipeline"];
        let said = kinds.map(|kind| {
            source(&json!({"kind": kind, "metadata": {"name": "x"}}), &[workspace()]).unwrap_err()
        });
        let [run, environment, pipeline] = said.each_ref().map(String::as_str);
        assert!(
            run.contains("kubectl describe mlrun x")
                && environment.contains("no build")
                && pipeline.contains("mlrun/<name>"),
            "{said:?}"
        );
    }

    #[test]
    fn a_run_is_waited_for_until_it_has_a_job_or_has_ended() {
        let run = |status: &Value| json!({"kind": "MLRun", "status": status});
        assert!(is_to_come(&run(&json!({}))) && is_to_come(&run(&json!({"phase": "Pending"}))));
        assert!(
            !is_to_come(&run(&json!({"phase": "Failed"}))) && !is_to_come(&run(&json!({"azureId": "/x"})))
        );
        assert!(!is_to_come(&json!({"kind": "MLEnvironment"})));
    }

    #[test]
    fn the_end_of_a_job_is_the_end_of_its_run_only_where_the_operator_says_so() {
        let job = |name: &str| format!("{WORKSPACE}/jobs/{name}");
        let ended = ArmId::parse(&job("j-1")).unwrap();
        for (status, expected) in [
            (json!({"phase": "Failed", "azureId": job("j-1")}), After::Nothing),
            (json!({"phase": "Running", "azureId": job("j-1")}), After::Unknown),
            (json!({"phase": "Pending", "azureId": job("j-1")}), After::Unknown),
            (json!({"phase": "Pending"}), After::Unknown),
            (json!({"phase": "Running", "azureId": job("j-2")}), After::Another),
            (json!({"phase": "Succeeded", "azureId": job("j-2")}), After::Another),
        ] {
            assert_eq!(after(&json!({"status": status}), &ended), expected, "{status}");
        }
    }

    #[test]
    fn what_may_still_write_is_not_over() {
        assert!(["Completed", "Failed", "Canceled", "Timeout"].into_iter().all(is_over));
        assert!(!["Running", "CancelRequested", "NotResponding", "Finalizing", ""].into_iter().any(is_over));
    }

    #[test]
    fn people_read_what_the_command_wrote() {
        let files = json!({"system_logs/x.log": "https://a/1", "user_logs/std_log.txt": "https://a/2", "user_logs/extra.txt": "https://a/3", "logs/y": ""});
        let names: Vec<String> = chosen(&files).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["user_logs/extra.txt", "user_logs/std_log.txt"]);
        let pipeline = json!({"logs/azureml/executionlogs.txt": "https://a/1", "other.txt": "https://a/2"});
        assert_eq!(chosen(&pipeline).len(), 1);
        assert_eq!(chosen(&json!({"other.txt": "https://a/2"})).len(), 1);
        assert_eq!(chosen(&Value::Null), []);
    }
}
