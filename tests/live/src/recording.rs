//! The file of a recording: one JSON object a line, the first says what it is, each other is a request with its answer.
//!
//! In: entries. Out: text, and back. The format is described in `docs/src/reference/assumptions.md`.

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The name of the format.
pub const FORMAT: &str = "azureml-operator-recording/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// The operator's version.
    pub operator: String,
    /// The cloud.
    pub cloud: String,
    /// The workspace's region.
    pub region: String,
    /// The day.
    pub taken: String,
    /// How many requests follow.
    pub requests: usize,
    /// What was observed, by the id of the assumption.
    pub answers: BTreeMap<String, String>,
}

/// A request with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `operator`, or `check`.
    pub by: String,
    /// The method.
    pub method: String,
    /// `resource-manager`, `registry`, `blob`, or another host of the cloud.
    pub host: String,
    /// Path and query; of blobs the path alone.
    pub path: String,
    /// Those of the request that matter.
    pub headers: BTreeMap<String, String>,
    /// JSON, `{"$base64": …}` of an upload, `{"$bytes": n}` of other bytes, or null.
    pub body: Value,
    /// The status.
    pub status: u16,
    /// Those of the answer that matter.
    pub answer_headers: BTreeMap<String, String>,
    /// As `body`.
    pub answer: Value,
}

/// The text of a recording.
///
/// # Errors
/// When something cannot be expressed.
pub fn write(header: &Header, entries: &[Entry]) -> Result<String> {
    let mut text = serde_json::to_string(header)? + "\n";
    for entry in entries {
        text += &serde_json::to_string(entry)?;
        text.push('\n');
    }
    Ok(text)
}

/// Reads it.
///
/// # Errors
/// When it is of another format, or ends early.
pub fn read(text: &str) -> Result<(Header, Vec<Entry>)> {
    let mut lines = text.lines();
    let header: Header = serde_json::from_str(lines.next().context("the recording is empty")?)
        .context("the first line is not that of a recording")?;
    ensure!(header.format == FORMAT, "this is {:?}; only {FORMAT} is read", header.format);
    let entries = lines
        .enumerate()
        .map(|(at, line)| serde_json::from_str(line).with_context(|| format!("line {}", at + 2)))
        .collect::<Result<Vec<Entry>>>()?;
    ensure!(
        entries.len() == header.requests,
        "{} requests, and {} were recorded",
        entries.len(),
        header.requests
    );
    Ok((header, entries))
}
