//! Batch endpoints with deployments of pipeline components become the `publish` of an MLPipeline.
//!
//! In: the files of endpoint and deployment. Out: a pipeline that is asked for, under the endpoint's name.

use super::context::{Context, Over};
use super::fields::Fields;
use super::job::want;
use super::pipeline::component;
use super::read::Node;

const WAYS: [(&str, &str); 5] = [
    ("tags", "write them as tags of the pipeline"),
    ("job_definition", "write the YAML of the job with az ml job show, and name it as a pipeline"),
    ("compute", "write it as settings.default_compute"),
    ("resources", "write them at each step"),
    ("properties", "write them as tags of the pipeline"),
];

/// An endpoint says nothing that its deployment does not, but its name.
pub fn endpoint(ctx: &mut Context<'_>, root: &Node) {
    let fields = Fields::of(root, "", &mut ctx.findings);
    let name = fields.text("name", &mut ctx.findings).unwrap_or_default();
    if !ctx.index.contains_key(&("deployment", name.clone())) {
        let message =
            format!("nothing is deployed to {name}; name the file of its pipeline component deployment too");
        ctx.findings.refuse(fields.place_of("name"), "name", &message);
    }
    if fields.text("auth_mode", &mut ctx.findings).is_some_and(|mode| mode != "aad_token") {
        ctx.findings.refuse(
            fields.place_of("auth_mode"),
            "auth_mode",
            "callers sign in with Entra ID: write aad_token",
        );
    }
    fields.without_effect("description", "the pipeline's own description is shown", &mut ctx.findings);
    fields.without_effect("defaults", "the newest version is the default here", &mut ctx.findings);
    fields.entry("type");
    fields.finish(&WAYS, &mut ctx.findings);
}

/// A deployment is a pipeline that is published.
pub fn deployment(ctx: &mut Context<'_>, root: &Node) {
    let fields = Fields::of(root, "", &mut ctx.findings);
    let endpoint = fields.text("endpoint_name", &mut ctx.findings);
    let mut over = Over { publish: endpoint.clone(), ..Over::default() };
    for key in ["settings", "description"] {
        if let Some(node) = fields.node(key) {
            over.nodes.insert(key, node.clone());
        }
    }
    fields.without_effect(
        "name",
        "a deployment is made for each version of the pipeline here",
        &mut ctx.findings,
    );
    fields.entry("type");
    let text = fields.text("component", &mut ctx.findings);
    let place = fields.place_of("component").clone();
    fields.finish(&WAYS, &mut ctx.findings);
    let Some(endpoint) = endpoint else {
        return ctx.findings.fail(
            &root.place,
            "endpoint_name",
            "the deployment names no endpoint; write its name",
        );
    };
    if let Some(other) = ctx.known("published", &endpoint) {
        let message = format!(
            "{endpoint} is published by {other} already, and an endpoint has one pipeline; choose another name"
        );
        return ctx.findings.refuse(&root.place, "endpoint_name", &message);
    }
    let Some(root) = text.and_then(|text| component(ctx, &text, &place)) else { return };
    let name = want(ctx, &format!("published as {endpoint}"), &root, over);
    ctx.know("published", &endpoint, &name);
}
