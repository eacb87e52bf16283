//! The workspace becomes an MLWorkspace: a reference, without how the operator signs in.
//!
//! In: the workspace as Azure shows it. Out: an object. No secret and no identity is written.

use super::draft::Draft;
use super::object::Object;
use super::shown::said;
use crate::convert::out::Map;
use serde_json::Value;

const SIGNS_IN: &str = "\
The operator signs in by its own identity, where its configuration grants that to the namespace. An identity of the namespace's own is written
into spec; a client secret stays in a Secret:

  identity:
    clientId: <application (client) id>
    tenantId: <tenant id>
    secretRef: {name: <Secret>}   # only where no federated credential is there";

/// Makes the MLWorkspace.
pub fn workspace(draft: &mut Draft<'_>, body: &Value) {
    let id = draft.id;
    let mut spec = Map::new();
    spec.put("subscriptionId", id.segment("subscriptions").unwrap_or_default().to_ascii_lowercase());
    spec.put("resourceGroup", id.segment("resourceGroups").unwrap_or_default());
    spec.put("workspaceName", id.name());
    spec.put_some("cloud", draft.options.cloud.as_deref());
    let mut notes = vec![SIGNS_IN.to_owned()];
    if said(&body["properties"]["containerRegistry"]).is_none() {
        notes.push(
            "The workspace has no container registry: write registry.resourceId before an MLEnvironment is built.".to_owned(),
        );
    }
    let object =
        Object { folder: "", kind: "MLWorkspace", name: String::new(), notes, is_paused: false, spec };
    draft.keep(id.name(), object);
}
