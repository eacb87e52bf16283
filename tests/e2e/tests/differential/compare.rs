//! Two trees, leaf by leaf.
//!
//! In: trees, and patterns with the reasons why places that they mean may differ. Out: what differs without a reason.

use super::sdk::HERE;
use anyhow::Result;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Patterns of places, each with its reason. `*` is any text without `/`, `**` any text.
pub type Reasons = BTreeMap<String, String>;

/// A place that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The place, as a JSON pointer.
    pub place: String,
    theirs: Option<Value>,
    ours: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            let text = value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
            text.chars().take(160).collect::<String>()
        };
        write!(
            f,
            "{}: Microsoft's client sends {}, we send {}",
            self.place,
            shown(&self.theirs),
            shown(&self.ours)
        )
    }
}

/// Every place that differs. Nulls and what is empty say nothing.
pub fn differences(theirs: &Value, ours: &Value) -> Vec<Difference> {
    let (theirs, ours) = (leaves(theirs), leaves(ours));
    let places: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let differs = |place: &&String| {
        let (theirs, ours) = (theirs.get(*place), ours.get(*place));
        theirs != ours
            && !is_pinned(place, theirs, ours)
            && !is_default(place, theirs)
            && !is_spelling(place, theirs, ours)
    };
    let shown = |place: &String| Difference {
        place: place.clone(),
        theirs: theirs.get(place).cloned(),
        ours: ours.get(place).cloned(),
    };
    places.into_iter().filter(differs).map(shown).collect()
}

/// Whether a file says nothing, and each side something else: the client names the experiment by the folder where it runs, and our
/// schedules begin in the past, so that a new version does not start a run.
fn is_default(place: &str, theirs: Option<&Value>) -> bool {
    let is_of_folder = place.ends_with("/experimentName") && theirs.is_some_and(|name| name == HERE);
    is_of_folder || place.ends_with("/trigger/startTime") && theirs.is_none()
}

/// Whether two texts are one number, one command but for the line's end after it, or one time or day of a trigger: the client writes a
/// blank for the `T` of ISO 8601, and small letters for the words of the published definition.
fn is_spelling(place: &str, theirs: Option<&Value>, ours: Option<&Value>) -> bool {
    let (Some(theirs), Some(ours)) = (theirs.and_then(Value::as_str), ours.and_then(Value::as_str)) else {
        return false;
    };
    let is_one_number = theirs.parse::<f64>().is_ok_and(|number| ours.parse() == Ok(number));
    let is_one_time = place.contains("/trigger/") && theirs.replace(' ', "T").eq_ignore_ascii_case(ours);
    is_one_number || is_one_time || theirs.trim_end() == ours.trim_end()
}

/// Whether ours is the image of theirs, pinned by the digest that its tag had.
fn is_pinned(place: &str, theirs: Option<&Value>, ours: Option<&Value>) -> bool {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (theirs, ours) = (text(theirs), text(ours));
    let Some((ours, _)) = ours.split_once('@') else { return false };
    let last = theirs.rfind('/').map_or(0, |slash| slash + 1);
    let name = theirs[last..].find(':').map_or(theirs.as_str(), |colon| &theirs[..last + colon]);
    place.ends_with("/image") && (ours == theirs || ours == name)
}

fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    flatten("", value, &mut leaves);
    leaves
}

fn flatten(place: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), value, leaves);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(&format!("{place}/{number}"), item, leaves);
            }
        }
        leaf @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            leaves.insert(place.to_owned(), leaf.clone());
        }
    }
}

/// A pattern, ready to be asked.
pub struct Pattern {
    /// As it is written.
    pub text: String,
    form: Regex,
}

impl Pattern {
    /// Reads one.
    pub fn read(text: &str) -> Result<Self> {
        let form = regex::escape(text).replace(r"\*\*", ".*").replace(r"\*", "[^/]*");
        Ok(Self { text: text.to_owned(), form: Regex::new(&format!("^{form}$"))? })
    }

    /// Whether it means a text.
    pub fn means(&self, text: &str) -> bool {
        self.form.is_match(text)
    }
}

#[test]
fn every_leaf_that_differs_is_found_and_patterns_mean_what_they_say() -> Result<()> {
    let theirs = serde_json::json!({"x": {"y": 1}, "z": [1], "empty": {}, "null": null});
    let ours = serde_json::json!({"x": {"y": 2}, "z": [1, 2]});
    let places: Vec<String> = differences(&theirs, &ours).into_iter().map(|found| found.place).collect();
    assert_eq!(places, ["/x/y", "/z/1"]);
    for (pattern, text, is_meant) in [
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/b/c", false),
        ("**/tags/ours-*", "/a/tags/ours-x", true),
        ("/a.b", "/a-b", false),
    ] {
        assert_eq!(Pattern::read(pattern)?.means(text), is_meant, "{pattern} {text}");
    }
    Ok(())
}
