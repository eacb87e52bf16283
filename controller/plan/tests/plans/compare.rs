//! Two requests, field by field.
//!
//! In: requests, and the differences that are known, each with its reason. Out: what is not known, and what is not true.

use azureml_plan::Action;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A request, as it was captured or as it will be sent.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Request {
    method: String,
    path: String,
    #[serde(default)]
    query: Value,
    #[serde(default)]
    body: Value,
}

/// Differences by their pattern, with their reasons. A `*` stands for any text without `/`, a `**` for any text.
pub type Known = BTreeMap<String, String>;

impl Request {
    /// The request of an action. Files are uploaded before it: `place` is where they are.
    pub fn of(action: &Action, place: &str) -> Self {
        let request = |method: &str, path: String, body: Value| Self {
            method: method.to_owned(),
            path,
            query: Value::Null,
            body,
        };
        match action {
            Action::Put { id, body } => request("PUT", id.to_string(), body.clone()),
            Action::Patch { id, body } => request("PATCH", id.to_string(), body.clone()),
            Action::Post { id, action } => request("POST", format!("{id}/{action}"), Value::Null),
            Action::Delete { id, query } => {
                let query: BTreeMap<_, _> = query.iter().copied().collect();
                let query = if query.is_empty() { Value::Null } else { json!(query) };
                Self { query, ..request("DELETE", id.to_string(), Value::Null) }
            }
            Action::Upload { id, body, pointer, .. } => {
                let mut body = body.clone();
                put(&mut body, pointer, place);
                request("PUT", id.to_string(), body)
            }
        }
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Every leaf by its place: `/method`, `/path/2`, `/query/name`, `/body/properties/…`.
    fn leaves(&self) -> BTreeMap<String, Value> {
        let mut leaves = BTreeMap::from([("/method".to_owned(), json!(self.method))]);
        let path: Vec<&str> = self.path.split('/').skip(1).collect();
        flatten("/path", &json!(path), &mut leaves);
        flatten("/query", &self.query, &mut leaves);
        flatten("/body", &self.body, &mut leaves);
        leaves
    }
}

/// Sets a value that the body does not have yet, below objects that it has.
fn put(body: &mut Value, pointer: &str, value: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    if let Some(parent) = body.pointer_mut(parent) {
        parent[key] = json!(value);
    }
}

fn flatten(place: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| flatten(&format!("{place}/{}", escaped(key)), value, leaves));
        }
        Value::Array(items) if !items.is_empty() => {
            let each = items.iter().enumerate();
            each.for_each(|(number, item)| flatten(&format!("{place}/{number}"), item, leaves));
        }
        Value::Null if place == "/query" || place == "/body" => {}
        leaf @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)
        | Value::Array(_)) => {
            leaves.insert(place.to_owned(), leaf.clone());
        }
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A field that differs, and how.
pub struct Difference {
    pub place: String,
    golden: Option<Value>,
    ours: Option<Value>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(
            f,
            "{}: Microsoft's client sends {}, we send {}",
            self.place,
            shown(&self.golden),
            shown(&self.ours)
        )
    }
}

/// Every field that differs. An empty object or list that the other request fills is shown by what fills it.
pub fn differences(golden: &Request, ours: &Request) -> Vec<Difference> {
    let (golden, ours) = (golden.leaves(), ours.leaves());
    let places: BTreeSet<&String> = golden.keys().chain(ours.keys()).collect();
    let is_filled = |place: &String| {
        let below = format!("{place}/");
        golden.keys().chain(ours.keys()).any(|other| other.starts_with(&below))
    };
    let differing =
        places.into_iter().filter(|place| golden.get(*place) != ours.get(*place) && !is_filled(place));
    let shown = |place: &String| Difference {
        place: place.clone(),
        golden: golden.get(place).cloned(),
        ours: ours.get(place).cloned(),
    };
    differing.map(shown).collect()
}

/// Whether a pattern means a place.
pub fn is_meant(pattern: &str, place: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == place,
        Some((before, after)) => place.strip_prefix(before).is_some_and(|rest| {
            let (after, crosses) = match after.strip_prefix('*') {
                Some(after) => (after, true),
                None => (after, false),
            };
            let ends = rest.char_indices().map(|(end, _)| end).chain([rest.len()]);
            let mut ends = ends.take_while(|end| crosses || !rest[..*end].contains('/'));
            ends.any(|end| is_meant(after, &rest[end..]))
        }),
    }
}

#[test]
fn every_field_that_differs_is_found() {
    let request =
        |body: Value| Request { method: "PUT".into(), path: "/a/b".into(), query: Value::Null, body };
    let golden = request(json!({"x": {"y": 1}, "z": [1], "same": {}, "empty": {}}));
    let ours = request(json!({"x": {"y": 2}, "z": [1, 2], "same": {}, "empty": {"now": "full"}}));
    let places: Vec<String> = differences(&golden, &ours).into_iter().map(|found| found.place).collect();
    assert_eq!(places, ["/body/empty/now", "/body/x/y", "/body/z/1"]);
    assert!(differences(&golden, &golden).is_empty());
}

#[test]
fn patterns_mean_what_they_say() {
    for (pattern, place, meant) in [
        ("/a/b", "/a/b", true),
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/b/c", false),
        ("**/c", "/a/b/c", true),
        ("**/tags/ours-*", "/a/tags/ours-x", true),
        ("**/tags/ours-*", "/a/tags/theirs", false),
        ("/a/**", "/a/b/c", true),
    ] {
        assert_eq!(is_meant(pattern, place), meant, "{pattern} {place}");
    }
}
