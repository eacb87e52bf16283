//! The logs of a schedule: of the run that it made last, or of another that its status still tells.
//!
//! In: an MLSchedule, the MLPipeline and the MLWorkspaces that it names, as kubectl shows them. Out: which run, and where its logs are. Pure.

use super::{Source, in_azure, in_job, referenced, text};
use azureml_client::ArmId;
use serde_json::Value;
use std::fmt;

/// A run of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The schedule.
    pub schedule: String,
    /// With engine `Controller`, its MLRun.
    pub run: Option<String>,
    /// Its job.
    pub job: String,
    /// When it was fired.
    pub at: String,
    /// Where it is.
    pub phase: String,
    /// Where a browser shows it.
    pub studio: Option<String>,
}

impl fmt::Display for Fired {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedule, job, at, phase, .. } = self;
        write!(to, "MLSchedule/{schedule}: the run of {at}, {phase}, job {job}")
    }
}

impl Fired {
    fn of(schedule: &str, run: &Value) -> Option<Self> {
        Some(Self {
            schedule: schedule.to_owned(),
            run: text(&run["run"]),
            job: text(&run["jobName"])?,
            at: text(&run["firedAt"]).unwrap_or_default(),
            phase: text(&run["phase"]).unwrap_or_default(),
            studio: text(&run["studioUrl"]),
        })
    }

    fn is(&self, name: &str) -> bool {
        self.job == name || self.run.as_deref() == Some(name)
    }
}

/// The run of a schedule whose logs are meant: the last, or the one whose job or MLRun is `asked` for.
///
/// # Errors
/// When it has none, or no such one, with what to do.
pub fn fired(schedule: &Value, asked: Option<&str>) -> Result<Fired, String> {
    let name = schedule["metadata"]["name"].as_str().unwrap_or_default();
    let status = &schedule["status"];
    let told: Vec<Fired> =
        status["runs"].as_array().into_iter().flatten().filter_map(|run| Fired::of(name, run)).collect();
    let Some(asked) = asked else {
        let last = Fired::of(name, &status["lastRun"]);
        return last.or_else(|| told.into_iter().next()).ok_or_else(|| none_yet(name, schedule));
    };
    if told.is_empty() {
        return Err(none_yet(name, schedule));
    }
    let names: Vec<&str> = told.iter().map(|run| run.run.as_deref().unwrap_or(&run.job)).collect();
    let names = names.join(", ");
    told.into_iter().find(|run| run.is(asked)).ok_or_else(|| {
        format!(
            "choose one of {names}: MLSchedule/{name} tells of no run {asked}; older ones are in studio alone"
        )
    })
}

fn none_yet(name: &str, schedule: &Value) -> String {
    let pipeline = schedule["spec"]["pipelineRef"]["name"].as_str().unwrap_or_default();
    let wait = match text(&schedule["status"]["next"][0]) {
        Some(next) => format!("wait until it fires at {next}"),
        None => format!("see when it fires by kubectl azureml why mlschedule/{name}"),
    };
    format!(
        "MLSchedule/{name} has no run yet; {wait}, or run its pipeline now: kubectl azureml run {pipeline} --follow"
    )
}

/// Where the logs of a run's job are. Its steps are named by the component of the MLPipeline, where that is there.
///
/// # Errors
/// When its workspace cannot be read or is not ready, or the status names no job.
pub fn source(
    schedule: &Value,
    fired: &Fired,
    pipeline: Option<&Value>,
    workspaces: &[Value],
) -> Result<Source, String> {
    let named = &schedule["status"]["workspaceRef"];
    let workspace = referenced(named, &schedule["metadata"]["namespace"], workspaces)?;
    // Others may write a status: what leads out of the workspace is no name.
    let id = in_azure(workspace).child("jobs", &fired.job).to_string();
    let id = ArmId::parse(&id).ok().filter(|id| id.name() == fired.job);
    let id = id.ok_or_else(|| format!("do not trust this status: {:?} is no name of a job", fired.job))?;
    let component = pipeline.and_then(|pipeline| text(&pipeline["status"]["current"]["componentId"]));
    let component = component.and_then(|id| ArmId::parse(&id).ok());
    let place = in_job(id, workspace, component)?;
    Ok(Source { place, cloud: text(&workspace["spec"]["cloud"]), studio: fired.studio.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;
    use serde_json::json;

    fn nightly(engine: &str) -> Value {
        let run = |day: u8| {
            let mut run = json!({"jobName": format!("j-{day}"), "firedAt": format!("2026-01-0{day}T03:00:00Z"), "phase": "Failed",
                "studioUrl": format!("https://ml.example/j-{day}")});
            if engine == "Controller" {
                run["run"] = json!(format!("nightly-{day}"));
            }
            run
        };
        json!({"kind": "MLSchedule", "metadata": {"name": "nightly", "namespace": "team"}, "spec": {"pipelineRef": {"name": "p"}},
            "status": {"workspaceRef": {"name": "ml", "namespace": "platform"}, "azureId": "/subscriptions/s/of/schedule",
                "lastRun": run(2), "runs": [run(2), run(1)]}})
    }

    fn workspaces() -> [Value; 2] {
        ["team", "platform"].map(|namespace| {
            json!({"kind": "MLWorkspace", "metadata": {"name": "ml", "namespace": namespace},
                "spec": {"subscriptionId": "s", "resourceGroup": "g", "workspaceName": namespace},
                "status": {"dataPlane": format!("https://{namespace}.api.azureml.ms")}})
        })
    }

    #[test]
    fn the_last_run_is_meant_or_the_one_that_is_asked_for() {
        let schedule = nightly("Azure");
        let job = |asked| fired(&schedule, asked).map(|fired| fired.job);
        assert_eq!((job(None), job(Some("j-1"))), (Ok("j-2".to_owned()), Ok("j-1".to_owned())));
        assert!(job(Some("j-9")).unwrap_err().starts_with("choose one of j-2, j-1: "));
        let of = nightly("Controller");
        let found = fired(&of, Some("nightly-1")).unwrap();
        assert_eq!((found.run.as_deref(), found.job.as_str()), (Some("nightly-1"), "j-1"));
        assert!(fired(&of, Some("x")).unwrap_err().contains("nightly-2, nightly-1"));
        assert_eq!(
            fired(&schedule, None).unwrap().to_string(),
            "MLSchedule/nightly: the run of 2026-01-02T03:00:00Z, Failed, job j-2"
        );
    }

    #[test]
    fn what_has_no_run_yet_says_what_to_do() {
        let mut schedule = nightly("Azure");
        schedule["status"] = json!({"next": ["2027-03-27T04:00:00+01:00"]});
        let said = fired(&schedule, None).unwrap_err();
        assert_eq!(
            said,
            "MLSchedule/nightly has no run yet; wait until it fires at 2027-03-27T04:00:00+01:00, or run its pipeline now: kubectl azureml run p \
             --follow"
        );
        assert_eq!(fired(&schedule, Some("j-1")), Err(said));
        schedule["status"] = Value::Null;
        assert!(fired(&schedule, None).unwrap_err().contains("kubectl azureml why mlschedule/nightly"));
    }

    #[test]
    fn the_job_is_in_the_workspace_that_the_status_names_also_of_another_namespace() {
        let schedule = nightly("Azure");
        let last = fired(&schedule, None).unwrap();
        let component = "/subscriptions/s/resourceGroups/g/providers/x/workspaces/w/components/c/versions/1";
        let pipeline = json!({"status": {"current": {"componentId": component}}});
        let found = source(&schedule, &last, Some(&pipeline), &workspaces()).unwrap();
        let Place::Job { id, data_plane, component: of } = found.place else { panic!("no job") };
        assert_eq!(
            (id, of),
            (ArmId::workspace("s", "g", "platform").child("jobs", "j-2"), ArmId::parse(component).ok())
        );
        assert_eq!(
            (data_plane.as_str(), found.studio.as_deref()),
            ("https://platform.api.azureml.ms", Some("https://ml.example/j-2"))
        );
        let [own, _] = workspaces();
        assert!(
            source(&schedule, &last, None, &[own])
                .unwrap_err()
                .contains("no MLWorkspace/ml that can be read")
        );
    }

    #[test]
    fn a_forged_name_of_a_job_leads_nowhere() {
        let schedule = nightly("Azure");
        for job in ["../x", "a/jobs/b", "a?b", "..", "a/b"] {
            let forged = Fired { job: job.to_owned(), ..fired(&schedule, None).unwrap() };
            let said = source(&schedule, &forged, None, &workspaces()).unwrap_err();
            assert!(said.starts_with("do not trust"), "{job}: {said}");
        }
    }
}
