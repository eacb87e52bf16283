//! Recordings against the simulator: for each recorded request, does it answer with the same status and the same shape?
//!
//! In: the text of a recording. Out: differences. Time stands still and moves only where an answer is not yet as recorded.

use crate::states::{is_id, states};
use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_live::recording::{self, Entry};
use azureml_live::redact::{GROUP, REGISTRY, SUBSCRIPTION, WORKSPACE, kept_of_workspace};
use azureml_live::shape;
use azureml_simulator::{Options, Simulator, WorkspaceSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// How often time is moved on for one answer, and by how much.
const MOVES: usize = 60;
const MOVE: SignedDuration = SignedDuration::from_millis(500);

/// Every recording that is kept, with what is known to differ.
#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_recorded_requests_as_azure_did() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let mut count = 0;
    for file in std::fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        count += 1;
        let found = differences(&std::fs::read_to_string(&file)?).await?;
        let known = std::fs::read_to_string(file.with_extension("differences.txt")).unwrap_or_default();
        let known: Vec<&str> = known.lines().collect();
        ensure!(
            found == known,
            "{} differs in what its differences.txt does not say, or no longer:\n{}",
            file.display(),
            found.join("\n")
        );
    }
    ensure!(count > 0, "there are no recordings");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_status_and_another_shape_are_differences() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/simulated.jsonl");
    let (mut header, entries) = recording::read(&std::fs::read_to_string(file)?)?;
    let is_workspace =
        |entry: &&Entry| entry.method == "GET" && entry.path.contains(&format!("/workspaces/{WORKSPACE}?"));
    let mut entry = entries.iter().find(is_workspace).context("the workspace was not read")?.clone();
    header.requests = 2;
    let mut other = entry.clone();
    entry.status = 299;
    other.answer["properties"]["novelty"] = Value::Bool(true);
    let found = differences(&recording::write(&header, &[entry, other])?).await?;
    ensure!(found.len() == 2 && found[0].contains("299 recorded, 200 simulated"), "{found:?}");
    ensure!(found[1].ends_with("- properties.novelty: boolean"), "{found:?}");
    Ok(())
}

/// What the simulator does differently, one line each.
pub async fn differences(text: &str) -> Result<Vec<String>> {
    let (header, entries) = recording::read(text)?;
    let mut workspace = WorkspaceSpec::new(GROUP, WORKSPACE);
    workspace.registry = Some(REGISTRY.to_owned());
    workspace.region = Some(header.region);
    let options = Options {
        subscription_id: SUBSCRIPTION.to_owned(),
        workspaces: vec![workspace],
        virtual_clock: true,
        throttle: false,
        ..Options::default()
    };
    let azure = Simulator::start(options).await.map_err(|error| anyhow!("the simulator: {error}"))?;
    let mut replay = Replay::new(azure)?;
    let mut found = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !is_operation(entry)) {
        // Time does not pass here as it did there: what was seen later at the same place may be seen now.
        let is_same = |later: &&Entry| {
            is_look(entry)
                && (&later.method, &later.host, &later.path) == (&entry.method, &entry.host, &entry.path)
        };
        let later: Vec<&Entry> = entries[at + 1..].iter().filter(is_same).collect();
        let said = replay.difference(entry, &later).await.with_context(|| format!("line {}", at + 2))?;
        let place = format!("line {}: {} {}", at + 2, entry.method, brief(&entry.path));
        found.extend(said.into_iter().map(|said| format!("{place}: {said}")));
    }
    Ok(found)
}

/// An operation has a name that the service makes, told in a header, which is not kept by the answer's members.
fn is_operation(entry: &Entry) -> bool {
    ["/mfeOperationsStatus/", "/computeOperationsStatus/"].iter().any(|part| entry.path.contains(part))
}

fn is_look(entry: &Entry) -> bool {
    matches!(entry.method.as_str(), "GET" | "HEAD")
}

/// A path without what is the same of all.
fn brief(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    path.split_once("/providers/").map_or(path, |(_, rest)| rest)
}

pub struct Replay {
    pub azure: Simulator,
    pub http: reqwest::Client,
    pub tokens: HashMap<&'static str, String>,
    /// What Azure called otherwise than the simulator does: ids that the service makes.
    words: Vec<(String, String)>,
}

impl Replay {
    fn new(azure: Simulator) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(azure.ca_pem().as_bytes())?;
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { azure, http, tokens: HashMap::new(), words: Vec::new() })
    }

    async fn difference(&mut self, entry: &Entry, later: &[&Entry]) -> Result<Vec<String>> {
        let mut last = Value::Null;
        let mut said = Vec::new();
        for _ in 0..MOVES {
            let (status, answer) = self.send(entry).await?;
            said = compared(entry, status, &answer);
            last.clone_from(&answer);
            let is_same = |entry: &Entry| {
                let is_in_time = !is_look(entry) || states(&entry.answer) == states(&answer);
                is_in_time && compared(entry, status, &answer).is_empty()
            };
            if is_same(entry) {
                self.learn(entry, &answer);
                return Ok(said);
            }
            if later.iter().any(|later| is_same(later)) {
                return Ok(Vec::new());
            }
            // A look may come too early; a change is sent again only if it was refused because something still goes on, or
            // where sending it again shows how far it is.
            if !is_look(entry) && status != 409 && !entry.path.contains("/taskRuns/") {
                break;
            }
            let _ = self.azure.advance(MOVE);
        }
        // In a list each thing has its own time.
        if said.is_empty() && !entry.answer["value"].is_array() {
            said.push(format!(
                "{} recorded, {} simulated",
                states(&entry.answer).join(""),
                states(&last).join("")
            ));
        }
        Ok(said)
    }

    async fn send(&mut self, entry: &Entry) -> Result<(u16, Value)> {
        let url = self.address(entry);
        let mut request = self.http.request(entry.method.parse()?, url);
        for (name, value) in &entry.headers {
            request = request.header(name, value);
        }
        // What was refused for want of a token was sent without one.
        if entry.status != 401
            && let Some(token) = self.token(entry).await?
        {
            request = request.bearer_auth(token);
        }
        if let Some(bytes) = entry.body["$base64"].as_str() {
            request = request.body(STANDARD.decode(bytes)?);
        } else if !entry.body.is_null() {
            request = request.body(self.translated(&entry.body.to_string()));
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let mut answer: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        // A recording keeps of a list what is the check's own, and no datastore is.
        let items = answer.get_mut("value").and_then(Value::as_array_mut);
        if let Some(items) = items.filter(|_| entry.path.contains("/datastores?")) {
            items.clear();
        }
        Ok((status, answer))
    }

    /// Where the simulator has what the entry is about.
    fn address(&self, entry: &Entry) -> String {
        let endpoint = self.azure.endpoint();
        let path = self.translated(&entry.path);
        match entry.host.as_str() {
            // The address with its signature, which the simulator gave.
            "blob" => {
                let (file, place) = (path.rsplit('/').next().unwrap_or_default(), path.clone());
                let signed = self.words.iter().find_map(|(_, signed)| {
                    let (address, query) = signed.split_once('?')?;
                    let root = address.strip_prefix(endpoint)?;
                    place.starts_with(root).then(|| format!("{endpoint}{place}?{query}"))
                });
                signed.unwrap_or_else(|| format!("{endpoint}/{file}"))
            }
            // `<endpoint>.<region>.inference…`, which the simulator has below one address.
            host if host.contains(".inference.") => {
                let mut parts = host.split('.');
                let (name, region) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                format!("{endpoint}/inference/{region}/{name}{path}")
            }
            "registry" if !path.contains("ns=") => format!("{endpoint}{path}?ns={REGISTRY}.azurecr.io"),
            _ => format!("{endpoint}{path}"),
        }
    }

    fn translated(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (ours, theirs)| text.replace(ours.as_str(), theirs))
    }

    /// Notes where both answers have another id in the same place. In lists things may stand in another order.
    fn learn(&mut self, entry: &Entry, simulated: &Value) {
        if !entry.answer["value"].is_array() {
            self.learn_words(&entry.answer, simulated);
        }
    }

    fn learn_words(&mut self, recorded: &Value, simulated: &Value) {
        match (recorded, simulated) {
            (Value::String(ours), Value::String(theirs)) if ours != theirs && is_id(ours) => {
                self.learn_word(ours, theirs);
            }
            (Value::Object(ours), Value::Object(theirs)) => {
                for (key, value) in ours {
                    self.learn_words(value, theirs.get(key).unwrap_or(&Value::Null));
                }
            }
            (Value::Array(ours), Value::Array(theirs)) => {
                for (ours, theirs) in ours.iter().zip(theirs) {
                    self.learn_words(ours, theirs);
                }
            }
            _ => {}
        }
    }

    /// An address with a signature is also known by its path.
    fn learn_word(&mut self, ours: &str, theirs: &str) {
        if self.words.iter().any(|(known, _)| known == ours) {
            return;
        }
        self.words.push((ours.to_owned(), theirs.to_owned()));
        if let (Some((ours, _)), Some((theirs, _))) = (ours.split_once('?'), theirs.split_once('?')) {
            let path = |address: &str| address.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
            self.words.extend(path(ours).zip(path(theirs)));
        }
        self.words.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }
}

fn compared(entry: &Entry, status: u16, answer: &Value) -> Vec<String> {
    // Whether a job had ended when it was cancelled is a matter of time; no other refusal is.
    let is_end = |status: u16, answer: &Value| match status {
        200 | 202 => true,
        400 => answer.to_string().contains("CancelPipelineRunInTerminalStatus"),
        _ => false,
    };
    let is_cancel = brief(&entry.path).ends_with("/cancel");
    if is_cancel && is_end(status, answer) && is_end(entry.status, &entry.answer) {
        return Vec::new();
    }
    if status != entry.status {
        return vec![format!("{} recorded, {status} simulated", entry.status)];
    }
    // The JSON `null` of what was accepted, as it is kept.
    if answer.is_null() && entry.answer == json!({"value": null}) {
        return Vec::new();
    }
    // Of bytes only the number is kept, of what is cut only that it was text.
    if entry.answer["$bytes"].is_number() {
        return Vec::new();
    }
    if brief(&entry.path).ends_with(&format!("/workspaces/{WORKSPACE}")) {
        // Much of a workspace is not recorded.
        return shape::differences(&entry.answer, &kept_of_workspace(answer));
    }
    let mut found = shape::differences(&entry.answer, answer);
    // So are the times that a job shows which had ended before it was cancelled.
    if states(&entry.answer) != states(answer) {
        found.retain(|difference| !difference.contains("properties.azureml.pipelines.stages: "));
    }
    found
}
