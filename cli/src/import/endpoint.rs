//! Batch endpoints: the pipeline of the default deployment becomes an MLPipeline, the endpoint goes on serving.
//!
//! In: an endpoint and its deployments as Azure shows them. Out: an object, and what is left over.

use super::draft::Draft;
use super::live::{COMPONENT, Endpoint, Live};
use super::pipeline::{Wrapped, wrapped};
use super::shown::said;
use serde_json::Value;

const MODEL: &str = "score with a pipeline, and publish that";

/// Makes the MLPipeline of the default deployment.
pub fn endpoint(draft: &mut Draft<'_>, live: &Live, of: &Endpoint) {
    let name = of.body["name"].as_str().unwrap_or_default();
    if draft.is_owned("batch endpoint", name, &of.body["tags"]) {
        return;
    }
    let default = said(&of.body["properties"]["defaults"]["deploymentName"]).unwrap_or_default();
    let is_default = |one: &&Value| said(&one["name"]).is_some_and(|name| name.eq_ignore_ascii_case(default));
    for other in of.deployments.iter().filter(|one| !is_default(one)) {
        let name = format!("{name}/{}", other["name"].as_str().unwrap_or_default());
        let way = "keep it with az ml while callers name it";
        draft.leave("batch deployment", &name, "it is not the default of its endpoint", way);
    }
    let Some(deployment) = of.deployments.iter().find(is_default) else {
        let way = "set a default with az ml, and import again; or delete the endpoint";
        return draft.leave("batch endpoint", name, "it has no default deployment", way);
    };
    published(draft, live, name, deployment);
}

/// Makes the MLPipeline of what an endpoint runs.
fn published(draft: &mut Draft<'_>, live: &Live, name: &str, deployment: &Value) {
    let Some(id) = deployment.pointer(COMPONENT).and_then(Value::as_str) else {
        let why = "its default deployment scores with a model, not with a pipeline component";
        return draft.leave("batch endpoint", name, why, MODEL);
    };
    let Some(body) = live.component(id) else {
        let why = format!("the component of its default deployment cannot be read: {id}");
        let way = "see that it is there and may be read, and import again";
        return draft.leave("batch endpoint", name, &why, way);
    };
    let notes = vec![format!(
        "Published at the batch endpoint {name} by its deployment {}, which goes on serving.\n\
         The operator takes over no endpoint. It publishes under another name: publish: {{endpoint: <a new name>}}.",
        deployment["name"].as_str().unwrap_or_default()
    )];
    let settings = &deployment["properties"]["deploymentConfiguration"]["settings"];
    wrapped(draft, &Wrapped { wish: name, id, body, settings, job: &Value::Null, notes });
}
