//! The converter's check of itself: what it wrote is read again, as YAML, by the definitions of the kinds with their rules, and as its type.
//!
//! In: an object and its text. Out: what does not fit: the API server would refuse it.

use super::context::Object;
use super::out::Out;
use super::write::manifest;
use azureml_check::Definitions;
use azureml_crds::for_each_kind;
use serde_json::Value;
use std::sync::LazyLock;

/// Read once: the rules in them are long.
static DEFINITIONS: LazyLock<Result<Definitions, String>> =
    LazyLock::new(|| Definitions::read().map_err(|error| error.to_string()));

/// The definitions of the kinds.
///
/// # Errors
/// When one of them cannot be read; a test of theirs proves that this does not happen.
pub fn definitions() -> Result<&'static Definitions, String> {
    DEFINITIONS.as_ref().map_err(Clone::clone)
}

/// What does not fit, each with its field.
#[must_use]
pub fn faults(definitions: &Definitions, object: &Object, text: &str) -> Vec<String> {
    held(definitions, object.kind, &Out::Map(manifest(object, None)).json(), text)
}

/// What does not fit of a manifest and its text, each with its field.
#[must_use]
pub fn held(definitions: &Definitions, kind: &str, written: &Value, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    match serde_saphyr::from_str::<Value>(text) {
        Ok(read) if read == *written => {}
        Ok(_) => faults.push("the text of the manifest means something else".to_owned()),
        Err(error) => faults.push(format!("the manifest is not YAML: {error}")),
    }
    let refused = definitions.check(kind, &written["spec"], None);
    faults.extend(refused.iter().map(ToString::to_string));
    if faults.is_empty() {
        faults.extend(typed(kind, written.clone()).err().map(|error| error.to_string()));
    }
    faults
}

/// Reads a manifest as its type.
fn typed(kind: &str, manifest: Value) -> Result<(), serde_json::Error> {
    macro_rules! read {
        ($($many:ident: $kind:path,)*) => {
            $(if stringify!($kind).ends_with(kind) {
                return serde_json::from_value::<$kind>(manifest).map(drop);
            })*
        };
    }
    for_each_kind!(read);
    Ok(())
}
