//! One run of Databricks: what was asked for, and the states it goes through.
//! In: the body of a request, and what happens to it. Out: what the API shows of it.

use crate::faults::Outcome;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its cluster is being made.
    Pending,
    /// It runs.
    Running,
    /// It has ended: result, message, error.
    Ended(&'static str, String, Option<String>),
}

/// One run with one task.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id; that of its task is the next.
    pub id: u64,
    /// The seconds it may take.
    pub timeout: Option<i64>,
    /// Where it is.
    pub state: State,
    name: String,
    key: String,
    begun: Timestamp,
    ended: Option<Timestamp>,
}

/// What a task of a submitted run may be.
const TASKS: [&str; 3] = ["notebook_task", "spark_python_task", "spark_jar_task"];

impl Run {
    /// A run of `runs/submit`.
    pub fn submitted(id: u64, body: &Value, now: Timestamp) -> Result<Self, String> {
        let [task] = body["tasks"].as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err("The simulator takes runs of exactly one task.".into());
        };
        let key = task["task_key"].as_str().ok_or("A task_key is required.")?;
        if TASKS.iter().filter(|kind| task[**kind].is_object()).count() != 1 {
            return Err(format!("Task {key} must have exactly one of {}.", TASKS.join(", ")));
        }
        let new = &task["new_cluster"];
        let is_sized = new["num_workers"].is_u64() != new["autoscale"].is_object();
        let is_new = new["spark_version"].is_string() && is_sized;
        if is_new == task["existing_cluster_id"].is_string() {
            return Err(format!(
                "Task {key} needs existing_cluster_id, or new_cluster with spark_version and one size."
            ));
        }
        let name = body["run_name"].as_str().unwrap_or("Untitled");
        Ok(Self::new(id, (name, key), body["timeout_seconds"].as_i64(), now))
    }

    /// A run of `run-now`.
    pub fn of_job(id: u64, body: &Value, now: Timestamp) -> Result<Self, String> {
        let job = body["job_id"].as_u64().ok_or("A job_id is required.")?;
        Ok(Self::new(id, (&format!("job {job}"), "main"), None, now))
    }

    fn new(id: u64, (name, key): (&str, &str), timeout: Option<i64>, now: Timestamp) -> Self {
        let timeout = timeout.filter(|seconds| *seconds > 0);
        let (name, key) = (name.to_owned(), key.to_owned());
        Self { id, timeout, state: State::Pending, name, key, begun: now, ended: None }
    }

    /// The id of its task's run.
    pub fn task(&self) -> u64 {
        self.id + 1
    }

    fn finish(&mut self, result: &'static str, message: String, error: Option<String>, at: Timestamp) {
        if self.ended.is_none() {
            (self.state, self.ended) = (State::Ended(result, message, error), Some(at));
        }
    }

    /// Ends it as a fault says, or well.
    pub fn end(&mut self, outcome: Outcome, at: Timestamp) {
        match outcome {
            Outcome::Held => {}
            Outcome::Unchanged => self.finish("SUCCESS", String::new(), None, at),
            Outcome::Fail(failure) => {
                let message = format!(
                    "Task {} failed with message: Workload failed, see run output for details.",
                    self.key
                );
                self.finish("FAILED", message, Some(format!("{}: {}", failure.code, failure.message)), at);
            }
        }
    }

    /// Ends it by its limit.
    pub fn time_out(&mut self, at: Timestamp) {
        self.finish("TIMEDOUT", "Run timed out.".into(), None, at);
    }

    /// Ends it by somebody's wish.
    pub fn cancel(&mut self, at: Timestamp) {
        self.finish("CANCELED", "Run cancelled.".into(), None, at);
    }

    fn shown(&self) -> Value {
        match &self.state {
            State::Pending => {
                json!({ "life_cycle_state": "PENDING", "state_message": "Waiting for cluster" })
            }
            State::Running => json!({ "life_cycle_state": "RUNNING", "state_message": "In run" }),
            State::Ended(result, message, _) => {
                json!({ "life_cycle_state": "TERMINATED", "result_state": result, "state_message": message })
            }
        }
    }

    /// As `runs/get` shows it.
    pub fn json(&self) -> Value {
        let page = format!("https://{}/jobs/runs/{}", super::HOST, self.id);
        json!({
            "run_id": self.id, "run_name": self.name, "run_page_url": page, "run_type": "SUBMIT_RUN", "state": self.shown(),
            "start_time": self.begun.as_millisecond(), "end_time": self.ended.map_or(0, Timestamp::as_millisecond),
            "tasks": [{ "run_id": self.task(), "task_key": self.key, "state": self.shown() }],
        })
    }

    /// As `runs/get-output` shows its task.
    pub fn output(&self) -> Value {
        let mut output = json!({ "metadata": self.json() });
        if let State::Ended(_, _, Some(error)) = &self.state {
            output["error"] = error.as_str().into();
            output["error_trace"] = format!("Traceback (most recent call last):\n{error}").into();
        }
        output
    }
}
