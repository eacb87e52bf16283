//! The texts of the definitions, as `kubectl explain` shows them: short sentences that say the default, the unit and what is immutable.
//!
//! In: the schemas. Out: the path of each field whose text falls short, with what to write. Knows no kind.

use super::{schemas, walk};
use anyhow::Result;
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The most words of a sentence. Code counts as one word.
const WORDS: usize = 25;

struct Rules {
    code: Regex,
    end: Regex,
    bare: Regex,
    other_form: Regex,
    example: Regex,
    unit: Regex,
}

impl Rules {
    fn new() -> Result<Self> {
        Ok(Self {
            code: Regex::new("`[^`]*`")?,
            end: Regex::new(r"[.!?]\s")?,
            bare: Regex::new(r"Default: (true|false|-?[0-9])")?,
            other_form: Regex::new(r"(?i)\bdefaults? (is|are|to)\b|\bby default\b")?,
            example: Regex::new("`[0-9]+[hms]`")?,
            unit: Regex::new("(?i)(seconds|minutes|hours)")?,
        })
    }

    /// What any text needs.
    fn sentences(&self, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if !text.starts_with(|first: char| first.is_uppercase()) || !text.ends_with(['.', '`']) {
            faults.push("begin with a capital letter and end with a full stop or code".to_owned());
        }
        if text.contains('\n') {
            faults.push("make it one line".to_owned());
        }
        let spoken = self.code.replace_all(text, "code");
        let sentences = self.end.split(&spoken).map(|sentence| sentence.split_whitespace().count());
        let long = sentences.filter(|words| *words > WORDS);
        faults.extend(long.map(|words| format!("make two of the sentence of {words} words")));
        faults
    }

    /// What the text of a field needs that a user writes.
    fn of_spec(&self, name: &str, field: &Value, is_required: bool) -> Vec<String> {
        let text = said(field);
        let mut faults = Vec::new();
        if let Some(default) = field.get("default") {
            let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            let wanted = format!("Default: `{default}`");
            faults.extend((!text.contains(&wanted)).then(|| format!("say {wanted}")));
        }
        let has_a_default = !is_required && (field["type"] == "boolean" || field["enum"].is_array());
        if has_a_default && !text.contains("Default: ") {
            faults.push("say Default: …".to_owned());
        }
        if self.bare.is_match(text) || self.other_form.is_match(text) {
            faults.push("write Default: `…`".to_owned());
        }
        if is_duration(field) && !self.example.is_match(text) {
            faults.push("give an example of the duration, such as `90m`".to_owned());
        }
        let counts_time = ["timeout", "Timeout", "Seconds", "Minutes"].iter().any(|end| name.ends_with(end));
        if counts_time && field["type"] == "integer" && !self.unit.is_match(text) {
            faults.push("say the unit".to_owned());
        }
        faults
    }
}

fn said(field: &Value) -> &str {
    field["description"].as_str().unwrap_or_default()
}

/// Whether the rules of a field, or the words of its schema, ask for a duration.
fn is_duration(field: &Value) -> bool {
    ["x-kubernetes-validations", "anyOf"].iter().any(|key| {
        let rules = field[key].to_string();
        rules.contains("duration(self)") || rules.contains("minutes or hours from")
    })
}

/// All fields of one schema and of those inside of it, with what is wrong with their texts.
fn faults(rules: &Rules, root: &str, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(root, schema, &mut |path, owner| {
        for (name, field) in owner["properties"].as_object().into_iter().flatten() {
            let mut faults = rules.sentences(said(field));
            if root.split('.').nth(1) == Some("spec") {
                let is_required = owner["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
                faults.extend(rules.of_spec(name, field, is_required));
            }
            found.extend(faults.into_iter().map(|fault| format!("{path}.{name}: {fault}: {}", said(field))));
        }
    });
    found
}

/// The fields that a rule does not let change, and those whose texts say so.
fn immutable(schema: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut told = BTreeSet::new();
    walk("", schema, &mut |path, field| {
        if said(field).contains("Immutable.") {
            told.insert(path.to_owned());
        }
    });
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    let held = rules.filter(|rule| rule["message"].to_string().contains(" cannot be changed"));
    (held.filter_map(|rule| rule["fieldPath"].as_str().map(str::to_owned)).collect(), told)
}

#[test]
fn every_text_is_short_and_says_default_and_unit() -> Result<()> {
    let rules = Rules::new()?;
    let mut found = Vec::new();
    for (kind, schema) in schemas()? {
        found.extend(faults(&rules, &kind, &schema));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn what_cannot_be_changed_says_so() -> Result<()> {
    let mut all = 0;
    for (kind, schema) in schemas()? {
        let (held, told) = immutable(&schema);
        assert_eq!(held, told, "{kind}: write Immutable. into the texts of what cannot be changed");
        all += held.len();
    }
    assert!(all > 20, "the rules are not found");
    Ok(())
}

#[test]
fn a_text_that_falls_short_is_found() -> Result<()> {
    let long = format!("A{}.", " word".repeat(WORDS));
    let timeout = json!([{"rule": "duration(self) > duration('1m')"}]);
    let bad = [
        (json!({"description": "no capital letter."}), "capital letter"),
        (json!({"description": "No full stop"}), "full stop"),
        (json!({"description": "Two\nlines."}), "one line"),
        (json!({"description": long}), "of 26 words"),
        (json!({"description": "Whether.", "type": "boolean"}), "say Default: …"),
        (json!({"description": "Which. Default: none.", "default": "a"}), "say Default: `a`"),
        (json!({"description": "Count. Default: 3."}), "write Default: `…`"),
        (json!({"description": "Mode. Azure's default is `a`."}), "write Default: `…`"),
        (json!({"description": "Time.", "x-kubernetes-validations": timeout}), "`90m`"),
        (json!({"description": "Time.", "type": "integer"}), "the unit"),
    ];
    let good =
        json!({"description": "Time, such as `9m`. Default: `3h`.", "x-kubernetes-validations": timeout});
    let rules = Rules::new()?;
    let judged = |field: &Value| {
        faults(&rules, "Kind.spec", &json!({"properties": {"lastTimeout": field}})).join("\n")
    };
    for (field, fault) in &bad {
        let judged = judged(field);
        assert!(judged.contains(fault) && judged.starts_with("Kind.spec.lastTimeout: "), "{fault}: {judged}");
    }
    assert_eq!(judged(&good), "");
    Ok(())
}
