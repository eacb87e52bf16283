//! A schedule's jobs as Azure shows them: what the list of jobs says of each, and what run history says of those that failed.
//!
//! In: an item of the list. Out: plain data. Nothing is decided here. Source: recorded jobs (`azureml.pipelines.stages` holds the
//! times of a pipeline job that has ended; a cancelled one has none), Azure REST API, `Jobs_List`.

use crate::names;
use crate::owner::OWNER;
use crate::run::phase;
use azureml_crds::ml_run::Phase;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A job in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The object whose property it carries: the value of [`OWNER`].
    pub owner: String,
    /// When Azure ML made it.
    pub made: Timestamp,
    /// Where it is.
    pub phase: Phase,
    /// When it started, where it has ended and tells it.
    pub started: Option<Timestamp>,
    /// When it ended, where it tells it.
    pub ended: Option<Timestamp>,
    /// Its page in studio.
    pub studio: Option<String>,
    /// The pipeline component that it runs, where it names one.
    pub component: Option<String>,
}

/// The part of a job that matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    system_data: Made,
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    created_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    status: Option<String>,
    component_id: Option<String>,
    #[serde(rename = "properties")]
    own: Option<BTreeMap<String, Value>>,
    services: Option<Value>,
}

/// When an item of the list was made, and the job where it is one of an operator's.
#[must_use]
pub fn read(item: &str) -> Option<(Timestamp, Option<Listed>)> {
    let Item { name, system_data, properties } = serde_json::from_str(item).ok()?;
    let made = crate::time::timestamp(&system_data.created_at)?;
    // The job of an MLRun tells of itself in that object; it is no run of a schedule in Azure.
    if names::is_job(&name) {
        return Some((made, None));
    }
    let Properties { status, component_id, own, services } = properties;
    let properties = own.unwrap_or_default();
    let text = |key: &str| {
        let found = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.and_then(|(_, value)| value.as_str())
    };
    let Some(owner) = text(OWNER).map(str::to_owned) else { return Some((made, None)) };
    let (started, ended) = text("azureml.pipelines.stages").map_or((None, None), times);
    let studio = services.and_then(|services| services["Studio"]["endpoint"].as_str().map(str::to_owned));
    // A word that says nothing is that of a job which has not begun.
    let phase = phase(&status.unwrap_or_default()).unwrap_or(Phase::Pending);
    Some((made, Some(Listed { name, owner, made, phase, started, ended, studio, component: component_id })))
}

/// Start and end of a pipeline job, as it tells them.
fn times(stages: &str) -> (Option<Timestamp>, Option<Timestamp>) {
    let stages: Value = serde_json::from_str(stages).unwrap_or_default();
    let time = |key: &str| stages["Execution"][key].as_str().and_then(crate::time::timestamp);
    (time("StartTime"), time("EndTime"))
}

/// What run history says of a job that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum History {
    /// Its steps, and the run itself where no step tells why.
    Read {
        /// The steps.
        children: Vec<Value>,
        /// The run itself.
        details: Option<Value>,
    },
    /// It could not be read, with the cause.
    Unread(String),
}

/// What was seen of a schedule's jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    /// The newest jobs, and those that have not ended.
    pub listed: Vec<Listed>,
    /// From when on every job is in the list; none where nothing was learned.
    pub since: Option<Timestamp>,
    /// What run history says, by the name of the job.
    pub history: BTreeMap<String, History>,
    /// Why Azure refuses to list them.
    pub refused: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(properties: &Value) -> String {
        json!({"name": "j1", "systemData": {"createdAt": "2023-01-05T10:39:39.0117274+00:00"}, "properties": properties})
            .to_string()
    }

    #[test]
    fn a_job_tells_its_owner_and_a_pipeline_that_has_ended_its_times() {
        let stages = r#"{"Initialization":null,"Execution":{"StartTime":"2023-01-05T10:39:41.2078052+00:00","EndTime":"2023-01-05T10:39:43.8268733+00:00","Status":"Finished"}}"#;
        let text = item(&json!({"status": "Completed", "componentId": null,
            "properties": {OWNER: "c/1", "azureml.pipelines.stages": stages},
            "services": {"Studio": {"endpoint": "https://ml.azure.com/runs/j1"}}}));
        let (made, job) = read(&text).unwrap();
        let job = job.unwrap();
        assert_eq!((job.made, job.owner.as_str(), job.phase), (made, "c/1", Phase::Succeeded));
        assert_eq!(job.ended.unwrap().duration_since(job.started.unwrap()).as_secs(), 2);
        assert_eq!(job.studio.as_deref(), Some("https://ml.azure.com/runs/j1"));
    }

    #[test]
    fn what_is_nobodys_has_a_time_and_no_job_and_what_cannot_be_read_has_neither() {
        assert_eq!(read(&item(&json!({"status": "Failed"}))).map(|(_, job)| job), Some(None));
        let odd =
            item(&json!({"status": "New", "properties": {OWNER: "c/1", "azureml.pipelines.stages": "?"}}));
        let job = read(&odd).unwrap().1.unwrap();
        assert_eq!((job.phase, job.started, job.ended), (Phase::Pending, None, None));
        assert_eq!(read("{}"), None);
    }

    #[test]
    fn the_job_of_an_mlrun_is_no_run_of_a_schedule() {
        let properties = json!({"status": "Running", "properties": {OWNER: "c/1"}});
        let uid = "0b3f5d52-1c7e-4d0b-9a57-3f1f6f2f9a10";
        let is_read = |name: &str| {
            let mut item: Value = serde_json::from_str(&item(&properties)).unwrap();
            item["name"] = json!(name);
            read(&item.to_string()).unwrap().1.is_some()
        };
        assert!(!is_read(&names::job(uid, 0)) && !is_read(&names::job(uid, 11)));
        for name in [uid, "r-gbm-weekdays-20260105", &format!("r-{uid}-"), &format!("r-{uid}x")] {
            assert!(is_read(name), "{name}");
        }
    }
}
