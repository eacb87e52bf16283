//! A change that Azure was asked for, as the operator and as Microsoft's client ask for it.
//!
//! In: the simulator's log, or what the client's recorder printed. Out: requests without what only the way they came by has.

use azureml_simulator::Entry;
use serde::Deserialize;
use serde_json::Value;

/// A request that changes something.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The body.
    pub body: Value,
    /// The id under which Azure keeps what was made.
    pub id: String,
}

impl Request {
    /// What the log says of a workspace after an entry.
    pub fn logged(log: &[Entry], since: u64, workspace: &str) -> Vec<Self> {
        let inside = format!("/workspaces/{workspace}/").to_lowercase();
        let is_ours = |entry: &&Entry| entry.is_write() && entry.url.to_lowercase().contains(&inside);
        log.iter().filter(|entry| entry.seq > since).filter(is_ours).map(Self::of).collect()
    }

    fn of(entry: &Entry) -> Self {
        let path = entry.url.split('?').next().unwrap_or_default().to_owned();
        Self { method: entry.method.clone(), id: path.clone(), path, body: entry.json_body() }
    }

    /// The path below the workspace: `jobs/x`, `components/x/versions/1`.
    pub fn tail(&self) -> Vec<&str> {
        tail(&self.path).unwrap_or_default()
    }

    /// Whether it makes or replaces something of a type.
    pub fn puts(&self, of: &[&str]) -> bool {
        let tail = self.tail();
        let types: Vec<&str> = tail.iter().step_by(2).copied().collect();
        self.method == "PUT"
            && types.len() == of.len()
            && types.iter().zip(of).all(|(one, other)| one.eq_ignore_ascii_case(other))
    }
}

/// What an ARM id says below its workspace.
pub fn tail(id: &str) -> Option<Vec<&str>> {
    let id = id.strip_prefix("azureml:").unwrap_or(id);
    let (_, rest) = id.starts_with("/subscriptions/").then(|| id.split_once("/workspaces/"))??;
    Some(rest.split('/').skip(1).collect())
}
