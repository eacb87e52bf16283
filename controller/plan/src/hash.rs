//! Hashes of what a user wrote: the canonical form `v1`. Golden vectors keep it the same for ever.
//!
//! In: a name for what is hashed, and its content as JSON. Out: SHA-256 in hex. Never of a wire body, so that an upgrade publishes nothing anew.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The version of the canonical form. Another form gets another name, and hashes of the old one stay valid.
const FORM: &str = "azureml-operator/v1";

/// The hash of content: `SHA-256("azureml-operator/v1 <what>\n" + canonical JSON)`.
///
/// Canonical: keys sorted by their bytes, no white space, and no difference between an absent field and one that is null.
#[must_use]
pub fn content(what: &str, content: &Value) -> String {
    let mut text = format!("{FORM} {what}\n");
    write_canonical(content, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// The hash of text, in hex.
#[must_use]
pub fn text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// How many hex digits of a hash name a content: 128 bits, which nobody finds a second content for.
pub const NAME: usize = 32;

/// The name of content: as many digits of its hash as nobody can meet by trying.
#[must_use]
pub fn name(what: &str, value: &Value) -> String {
    cut(&content(what, value), NAME).to_owned()
}

/// The first `length` digits of a hash.
#[must_use]
pub fn cut(hash: &str, length: usize) -> &str {
    hash.get(..length).unwrap_or(hash)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> =
                map.iter().filter(|(_, value)| !value.is_null()).collect();
            write_all(out, ('{', '}'), sorted, |(key, value), out| {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(value, out);
            });
        }
        Value::Array(items) => write_all(out, ('[', ']'), items, write_canonical),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

fn write_all<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_canonical_form_stays_the_same_for_ever() {
        let contents =
            [json!({"b": 1, "a": [true, "x"], "n": null}), json!({}), json!({"text": "ü\"\n", "d": 0.5})];
        let hashes: Vec<String> = contents.iter().map(|value| content("test", value)).collect();
        insta::assert_debug_snapshot!(hashes);
    }

    /// The vectors were computed by Microsoft's client (azure-ai-ml 1.35.2).
    #[test]
    fn files_hash_as_microsofts_client_does() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden/code-upload.json")).unwrap();
        assert!(golden.to_string().contains(&azureml_crds::files::hash(&python_files())), "{golden}");
    }

    fn python_files() -> BTreeMap<String, String> {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        BTreeMap::from([file("prep.py", "print(\"prep\")\n"), file("score.py", "print(\"score\")\n")])
    }

    #[test]
    fn order_and_absence_do_not_count() {
        let a: Value = serde_json::from_str(r#"{"x":{"b":1,"a":2}}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"y":null,"x":{"a":2,"b":1}}"#).unwrap();
        assert_eq!(content("test", &a), content("test", &b));
        assert_ne!(content("test", &a), content("other", &a));
    }
}
