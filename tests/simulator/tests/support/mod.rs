//! What the tests of the simulator share: a running simulator, and a client that has its tokens.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "the lint takes helpers of tests for code outside of tests")]

pub mod acr;

use azureml_simulator::{Options, Simulator, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Once;
use std::time::Duration;

/// The api-version the tests speak.
pub const VERSION: &str = "2025-12-01";

static PROVIDER: Once = Once::new();

/// A simulator with the workspace `rg/ws`, and a client of it.
pub struct Sim {
    pub simulator: Simulator,
    pub http: reqwest::Client,
    pub token: String,
}

impl Drop for Sim {
    /// Whatever a test asked for: the simulator answered as it is published.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for entry in self.simulator.requests() {
            assert!(
                entry.answer_violations.is_empty(),
                "{} {}: {:?}",
                entry.method,
                entry.url,
                entry.answer_violations
            );
        }
    }
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The codes of an error from the outside to the inside, those of its details where nothing is inside.
    pub fn chain(&self) -> Vec<&str> {
        let more = self.body["error"]["additionalInfo"].as_array();
        let inner = more.into_iter().flatten().find(|entry| entry["type"] == "InnerError");
        let mut next = inner.map_or(&self.body["error"]["details"][0], |entry| &entry["info"]["value"]);
        let mut all = vec![self.code()];
        while let Some(code) = next["code"].as_str() {
            all.push(code);
            next = &next["innerError"];
        }
        all
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

impl Sim {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// A simulator whose time only moves when a test moves it.
    pub async fn frozen() -> Self {
        Self::with(Options { virtual_clock: true, ..Options::default() }).await
    }

    pub async fn with(mut options: Options) -> Self {
        PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        if options.workspaces.is_empty() {
            options.workspaces.push(WorkspaceSpec::new("rg", "ws"));
        }
        let simulator = Simulator::start(options).await.unwrap();
        let ca = reqwest::Certificate::from_pem(simulator.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
        let mut sim = Self { simulator, http, token: String::new() };
        sim.token = sim.token_for("test-app", &format!("{}/.default", sim.simulator.endpoint())).await;
        sim
    }

    pub async fn token_for(&self, app: &str, scope: &str) -> String {
        let url = format!("{}/{}/oauth2/v2.0/token", self.simulator.endpoint(), self.simulator.tenant_id());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app),
            ("client_secret", "hush"),
            ("scope", scope),
        ];
        let answer: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub fn workspace(&self) -> String {
        let subscription = self.simulator.subscription_id();
        format!(
            "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
        )
    }

    /// A whole URL: paths get the server before and the api-version behind.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with("https://") {
            return path.to_owned();
        }
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.workspace()) };
        let path = path.trim_end_matches('/');
        let mark = if path.contains('?') { '&' } else { '?' };
        let version = if path.contains("api-version") || path.starts_with("/_simulator") {
            String::new()
        } else {
            format!("{mark}api-version={VERSION}")
        };
        format!("{}{path}{version}", self.simulator.endpoint())
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send_as(&self.token, method, path, body).await
    }

    pub async fn send_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request.send().await.unwrap()).await
    }

    /// Paths without a leading slash are below the workspace.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, self.url(&format!("/_simulator/{path}"))).json(&body);
        answer(request.send().await.unwrap()).await
    }

    /// Moves a frozen simulator on.
    pub fn pass(&self, seconds: i64) {
        self.simulator.advance(jiff::SignedDuration::from_secs(seconds)).unwrap();
    }

    /// A cluster of at most `max` nodes, ready.
    pub async fn cluster(&self, name: &str, max: u32) {
        let answer = self.put(&format!("computes/{name}"), &cluster(0, max)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        self.until(&format!("computes/{name}"), |body| {
            body["properties"]["provisioningState"] == "Succeeded"
        })
        .await;
    }

    /// Waits until something happens in the simulator; a change just before the wait began is made up for by its limit.
    async fn next_change(&self) {
        let mut looks = 0;
        let happened = |_: &[azureml_simulator::Entry]| {
            looks += 1;
            (looks > 1).then_some(())
        };
        let _ = self.simulator.wait_for(Duration::from_millis(50), happened).await;
    }

    /// Reads until the body is as wanted: moves time on when it is frozen, waits for the next change otherwise.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.get(path).await;
            if wanted(&answer.body) {
                return answer.body;
            }
            assert!(tokio::time::Instant::now() < deadline, "never as wanted: {answer:?}");
            if self.simulator.advance(jiff::SignedDuration::from_secs(1)).is_none() {
                self.next_change().await;
            }
        }
    }
}

pub async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}

/// The body of a cluster.
pub fn cluster(min: u32, max: u32) -> Value {
    json!({
        "location": "westeurope", "tags": { "owner": "test" },
        "properties": { "computeType": "AmlCompute", "properties": {
            "vmSize": "Standard_DS3_v2",
            "scaleSettings": { "minNodeCount": min, "maxNodeCount": max, "nodeIdleTimeBeforeScaleDown": "PT2M" },
        } },
    })
}

impl Sim {
    /// The environment `r:1` and a command component `name:1` with a number and data in and data out.
    pub async fn component(&self, name: &str, command: &str) -> String {
        self.put("environments/r/versions/1", &json!({ "properties": { "image": "r:1" } })).await;
        let spec = json!({
            "type": "command", "name": name, "version": "1", "display_name": name, "command": command,
            "environment": format!("azureml:{}/environments/r/versions/1", self.workspace()),
            "inputs": { "n": { "type": "integer", "default": "3" }, "data": { "type": "uri_folder", "optional": true } },
            "outputs": { "out": { "type": "uri_folder" } },
        });
        let body = json!({ "properties": { "componentSpec": spec } });
        let put = self.put(&format!("components/{name}/versions/1"), &body).await;
        assert!(put.status.is_success(), "{put:?}");
        format!("{}/components/{name}/versions/1", self.workspace())
    }

    /// A pipeline of two steps, the second using the first's output, on the cluster `cpu`.
    pub async fn pipeline(&self) -> Value {
        let (prepare, train) = (self.component("prep", "run").await, self.component("training", "run").await);
        json!({
            "jobType": "Pipeline", "experimentName": "exp", "displayName": "two steps",
            "tags": { "owner": "me" }, "properties": { "uid": "7" },
            "inputs": { "trees": { "jobInputType": "literal", "value": "500" } },
            "outputs": { "model": { "jobOutputType": "uri_folder" } },
            "settings": { "default_compute": format!("{}/computes/cpu", self.workspace()) },
            "jobs": {
                "prep": { "type": "command", "name": "prep", "componentId": prepare },
                "train": { "type": "command", "name": "train", "componentId": train,
                    "inputs": {
                        "n": { "job_input_type": "literal", "value": "${{parent.inputs.trees}}" },
                        "data": { "job_input_type": "literal", "value": "${{parent.jobs.prep.outputs.out}}" } },
                    "outputs": { "out": { "type": "literal", "value": "${{parent.outputs.model}}" } } },
            },
        })
    }

    /// Submits a job.
    pub async fn submit(&self, name: &str, properties: &Value) -> Answer {
        self.put(&format!("jobs/{name}"), &json!({ "properties": properties })).await
    }

    /// Waits until a job is over, and returns its status.
    pub async fn over(&self, name: &str) -> String {
        let is_over = |status: &str| ["Completed", "Failed", "Canceled"].contains(&status);
        let body = self
            .until(&format!("jobs/{name}"), |body| {
                is_over(body["properties"]["status"].as_str().unwrap_or_default())
            })
            .await;
        body["properties"]["status"].as_str().unwrap().to_owned()
    }

    /// What run history has of a job: `details`, `children`.
    pub async fn history(&self, name: &str, what: &str) -> Value {
        let answer =
            self.get(&format!("/history/v1.0{}/runs/{name}/{what}?api-version=v1.0", self.workspace())).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body
    }

    /// The steps of a job by name.
    pub async fn steps(&self, name: &str) -> std::collections::BTreeMap<String, Value> {
        let children = self.history(name, "children").await;
        let all = children["value"].as_array().unwrap().clone();
        all.into_iter().map(|run| (run["displayName"].as_str().unwrap().to_owned(), run)).collect()
    }
}
