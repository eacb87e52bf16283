//! Data assets become MLData that are paused: the versions that exist stay in use.
//!
//! In: the newest version of a data asset. Out: an object, or why there is none. No address with a signature is written.

use super::draft::Draft;
use super::object::Object;
use super::secret::has_secret;
use super::shown::{READS, asset, said, user_tags};
use serde_json::Value;

/// Makes the MLData of a data asset's newest version.
pub fn data(draft: &mut Draft<'_>, body: &Value) {
    let id = body["id"].as_str().unwrap_or_default();
    let (properties, name, version) =
        (&body["properties"], asset(id), body["name"].as_str().unwrap_or_default());
    if draft.is_owned("data", &name, &properties["tags"]) {
        return;
    }
    let reference = draft.reference(id);
    let keep = format!("name it in steps and runs as path: \"{reference}\"");
    let Some(address) = said(&properties["dataUri"]) else {
        return draft.leave("data", &name, "Azure shows no address of it", &keep);
    };
    if has_secret(address) {
        return draft.leave(
            "data",
            &name,
            "its address has a signature, a password or a token, which belongs into no file",
            &keep,
        );
    }
    let mut spec = draft.spec();
    let renamed = draft.put_azure_name(&mut spec, &name, (1, 255, "-_"));
    spec.put_some("type", said(&properties["dataType"]));
    spec.put("path", short(draft, address));
    spec.put_some("description", said(&properties["description"]));
    spec.put_full("tags", user_tags(&properties["tags"]));
    let mut notes = vec![format!(
        "Version {version} stays in use as path: \"{reference}\". {READS}\n\
         Without the annotation azureml.dev/paused the operator registers a version of its own with the same address; steps name it as ref."
    )];
    notes.extend(renamed);
    let object = Object { folder: "data", kind: "MLData", name: String::new(), notes, is_paused: true, spec };
    draft.keep(&name, object);
}

/// An address in a datastore of this workspace, as people write it.
#[must_use]
pub fn short(draft: &Draft<'_>, address: &str) -> String {
    let long = || {
        let rest = address.strip_prefix("azureml://")?;
        let parts: Vec<&str> = rest.splitn(7, '/').collect();
        let [_, subscription, _, group, _, workspace, inside] = parts.as_slice() else { return None };
        let is_here = azureml_client::ArmId::workspace(subscription, group, workspace) == *draft.id;
        (is_here && inside.starts_with("datastores/")).then(|| format!("azureml://{inside}"))
    };
    long().unwrap_or_else(|| address.to_owned())
}
