//! The recorded requests, and changes to them.

use std::path::{Path, PathBuf};

use azureml_simulator::contract::{Call, Contract, Violation};
use serde_json::Value;

/// One recorded request.
pub struct Recorded {
    /// The recording it comes from.
    pub from: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The body.
    pub body: Option<Value>,
}

impl Recorded {
    /// The request as the contract takes it.
    pub fn call(&self) -> Call<'_> {
        Call { method: &self.method, target: &self.target, body: self.body.as_ref() }
    }

    /// The api-version it was sent with.
    pub fn version(&self) -> &str {
        self.target.split("api-version=").nth(1).and_then(|rest| rest.split('&').next()).unwrap()
    }

    /// The same request with another api-version.
    pub fn at(self, version: &str) -> Self {
        Self { target: self.target.replace(self.version(), version), ..self }
    }
}

/// All recorded requests.
pub fn recorded() -> Vec<Recorded> {
    let all: Value = serde_json::from_str(include_str!("../../contract/requests.json")).unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let requests = all["requests"].as_array().unwrap().iter();
    requests
        .map(|entry| Recorded {
            from: text(entry, "from"),
            method: text(entry, "method"),
            target: text(entry, "target"),
            body: entry.get("body").cloned(),
        })
        .collect()
}

/// The first request with a body of one recording.
pub fn body_of(from: &str) -> Recorded {
    recorded()
        .into_iter()
        .find(|request| request.from == from && request.body.is_some())
        .unwrap_or_else(|| panic!("no recording {from}"))
}

/// Sets the value at a pointer, or removes what is there.
pub fn change(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
    match (parent, value) {
        (Value::Array(entries), Some(value)) => entries[key.parse::<usize>().unwrap()] = value,
        (parent, Some(value)) => parent[key] = value,
        (parent, None) => {
            parent.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("nothing at {pointer}"));
        }
    }
}

/// The violations as text.
pub fn texts(result: Result<(), Vec<Violation>>) -> Vec<String> {
    result.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The contract as the simulator uses it.
pub fn contract() -> Contract {
    Contract::load().unwrap()
}

/// A folder of the published definitions or recordings, where they are at hand.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure").join(folder);
    if path.exists() {
        return Some(path);
    }
    eprintln!("not checked: {} is not on this machine", path.display());
    None
}
