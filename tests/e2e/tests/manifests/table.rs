//! The table of manifests: one file for a kind, one row for a manifest, and what the API server is to say about it.
//!
//! In: the files in `tests/e2e/manifests`. Out: trials. Knows nothing of the API server.

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;

/// One manifest that is tried.
pub struct Trial {
    /// The kind of the object.
    pub kind: String,
    /// What is special about it, in words.
    pub case: String,
    /// The spec that is stored before, where the row is about a change.
    pub before: Option<Value>,
    /// The spec that is sent.
    pub spec: Value,
    /// What the answer has to contain; nothing when the manifest is good.
    pub says: Vec<String>,
}

/// A file: a good spec, and rows that change it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    base: Value,
    #[serde(default)]
    refused: Vec<Row>,
    accepted: Vec<Row>,
}

/// A row: JSON merge patches (RFC 7386) of the good spec.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    was: Option<Value>,
    #[serde(default = "nothing")]
    spec: Value,
    #[serde(default)]
    says: Vec<String>,
}

fn nothing() -> Value {
    json!({})
}

/// All rows of all files in a folder.
pub fn read(folder: &Path) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let file = serde_saphyr::from_str(&text).map_err(|error| anyhow!("{error}"));
        let read = file.and_then(rows).with_context(|| path.display().to_string())?;
        trials.extend(read);
    }
    Ok(trials)
}

fn rows(file: File) -> Result<Vec<Trial>> {
    if let Some(row) = file.refused.iter().find(|row| row.says.is_empty()) {
        bail!("{:?} is to be refused, but the row does not say with which words", row.case);
    }
    let base = expand(file.base)?;
    let patched = |patch: Value| -> Result<Value> {
        let mut spec = base.clone();
        json_patch::merge(&mut spec, &expand(patch)?);
        Ok(spec)
    };
    let trial = |row: Row| {
        let before = row.was.map(patched).transpose()?;
        Ok(Trial {
            kind: file.kind.clone(),
            case: row.case,
            before,
            spec: patched(row.spec)?,
            says: row.says,
        })
    };
    file.refused.into_iter().chain(file.accepted).map(trial).collect()
}

/// Writes out what is too long to be written by hand, from the inside outwards:
///
/// - `{repeat: text, times: n}`: the text n times; `{join: [text, …]}`: one text;
/// - `{repeat: [items], times: n}`: the items n times, `#` in them being the number of the round; `{flat: [[…], …]}`: one list;
/// - `{keys: key, repeat: value, times: n}`: an object, `#` in key and value being the number of the round;
/// - `{numbers: n}`: 0 to n - 1.
fn expand(value: Value) -> Result<Value> {
    match value {
        Value::Array(items) => items.into_iter().map(expand).collect(),
        Value::Object(fields) => {
            let each = fields.into_iter().map(|(key, value)| Ok((key, expand(value)?)));
            generate(each.collect::<Result<_>>()?)
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Ok(scalar),
    }
}

fn generate(fields: Map<String, Value>) -> Result<Value> {
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    let times = || fields["times"].as_u64().context("times: a number");
    match names.as_slice() {
        ["repeat", "times"] => repeated(&fields["repeat"], times()?),
        ["keys", "repeat", "times"] => {
            let key = fields["keys"].as_str().context("keys: a text")?;
            let entry = |round: u64| (numbered(key, round), counted(&fields["repeat"], round));
            Ok(Value::Object((0..times()?).map(entry).collect()))
        }
        ["join"] => {
            let texts = fields["join"].as_array().context("join: a list")?.iter();
            let texts: Option<Vec<&str>> = texts.map(Value::as_str).collect();
            Ok(json!(texts.context("join: texts")?.concat()))
        }
        ["flat"] => {
            let lists: Vec<Vec<Value>> = serde_json::from_value(fields["flat"].clone())?;
            Ok(json!(lists.concat()))
        }
        ["numbers"] => Ok(json!((0..fields["numbers"].as_u64().unwrap_or_default()).collect::<Vec<_>>())),
        _ => Ok(Value::Object(fields)),
    }
}

fn repeated(value: &Value, times: u64) -> Result<Value> {
    match value {
        Value::String(text) => Ok(json!(text.repeat(usize::try_from(times)?))),
        Value::Array(items) => {
            let round = |round| items.iter().map(move |item| counted(item, round));
            Ok((0..times).flat_map(round).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            bail!("repeat: a text or a list, not {other}")
        }
    }
}

/// A value with the number of the round in all its texts and keys.
fn counted(value: &Value, round: u64) -> Value {
    match value {
        Value::String(text) => json!(numbered(text, round)),
        Value::Array(items) => items.iter().map(|item| counted(item, round)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (numbered(key, round), counted(value, round))).collect(),
        ),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar.clone(),
    }
}

fn numbered(text: &str, round: u64) -> String {
    text.replace('#', &round.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_written_out() {
        let cases = [
            (json!({"repeat": "ab", "times": 2}), json!("abab")),
            (json!({"join": [{"repeat": "#", "times": 2}, "b"]}), json!("##b")),
            (json!({"repeat": ["a#"], "times": 2}), json!(["a0", "a1"])),
            (json!({"flat": [["a"], {"repeat": ["b"], "times": 1}]}), json!(["a", "b"])),
            (
                json!({"keys": "k#", "repeat": {"v": "#"}, "times": 2}),
                json!({"k0": {"v": "0"}, "k1": {"v": "1"}}),
            ),
            (json!({"numbers": 2}), json!([0, 1])),
        ];
        for (short, long) in cases {
            assert_eq!(expand(short).unwrap(), long);
        }
    }
}
