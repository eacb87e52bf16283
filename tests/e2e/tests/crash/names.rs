//! What differs between two cases is taken out of paths and states, so that they can be compared.

use azureml_e2e::Scene;
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// What of the storage account's and registry's names stands in the paths of a workspace's blobs.
pub fn storage(workspace: &str) -> String {
    workspace.replace('-', "")
}

/// Whether an address is that of a workspace's registry or storage account.
pub fn is_account_of(url: &str, workspace: &str) -> bool {
    let storage = storage(workspace);
    let mut places = url.match_indices(&storage).map(|(at, _)| (&url[..at], &url[at + storage.len()..]));
    places.any(|(before, after)| {
        (before.ends_with("acr") || before.ends_with("st")) && ACCOUNT_END.is_match(after)
    })
}

static ACCOUNT_END: LazyLock<Regex> = LazyLock::new(|| known("^[0-9a-f]{6}[/.]"));

/// The path of a request with what differs between cases taken out.
pub fn general(url: &str, scene: &Scene) -> String {
    let path = url.split('?').next().unwrap_or_default();
    let path = path.replace(&storage(&scene.workspace), "{ACCOUNT}").replace(&scene.workspace, "{WORKSPACE}");
    let path = path
        .replace(&scene.namespace.replace('-', "_"), "{COMPONENT}")
        .replace(&scene.namespace, "{NAMESPACE}");
    let path = SUFFIXES.replace_all(&path, "${1}{ACCOUNT}{SUFFIX}");
    HEXES.replace_all(&path, "{HEX}").into_owned()
}

/// What the simulator adds to the names of a workspace's registry and storage account.
static SUFFIXES: LazyLock<Regex> = LazyLock::new(|| known(r"(acr|st)\{ACCOUNT\}[0-9a-f]{6}"));

/// A hash of digits alone begins with a letter from g to p in the name of a cluster.
static HEXES: LazyLock<Regex> = LazyLock::new(|| known("[0-9a-p][0-9a-f]{7,63}(-[0-9a-f]{4,12}){0,4}"));

fn known(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{pattern}: {error}"))
}

/// The general path as a pattern for the paths of another case.
pub fn pattern(general: &str, scene: &Scene) -> String {
    let text = regex::escape(general)
        .replace(r"\{ACCOUNT\}", &storage(&scene.workspace))
        .replace(r"\{WORKSPACE\}", &scene.workspace);
    let text = text
        .replace(r"\{COMPONENT\}", &scene.namespace.replace('-', "_"))
        .replace(r"\{NAMESPACE\}", &scene.namespace);
    format!("^{}([?]|$)", text.replace(r"\{SUFFIX\}", "[0-9a-f]{6}").replace(r"\{HEX\}", "[0-9a-z-]+"))
}

pub fn same_names(state: &Value, scene: &Scene) -> Value {
    match state {
        Value::String(text) => json!(general_text(text, scene)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| same_names(item, scene)).collect();
            items.sort_by_key(ToString::to_string);
            json!(items)
        }
        // Keys that became equal are kept side by side: a second version of a thing must show.
        Value::Object(map) => {
            let mut pairs: Vec<Value> = map
                .iter()
                .map(|(key, value)| json!([general_text(key, scene), same_names(value, scene)]))
                .collect();
            pairs.sort_by_key(ToString::to_string);
            json!(pairs)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => state.clone(),
    }
}

fn general_text(text: &str, scene: &Scene) -> String {
    general(text, scene).replace(&scene.start.client, "{CLIENT}")
}

pub fn difference(want: &Value, have: &Value) -> String {
    let lines = |value: &Value| {
        serde_json::to_string_pretty(value).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (want, have) = (lines(want), lines(have));
    let missing = want.iter().filter(|line| !have.contains(line)).map(|line| format!("\n- {line}"));
    let surplus = have.iter().filter(|line| !want.contains(line)).map(|line| format!("\n+ {line}"));
    let shown: String = missing.chain(surplus).take(40).collect();
    format!("the end state differs ({} lines, expected {}):{shown}", have.len(), want.len())
}
