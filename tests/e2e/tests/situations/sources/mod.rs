//! Files from git and from ConfigMaps: what is registered when they change, what is refused, and who may see a password. The servers
//! are git's own, behind TLS, on loopback.

mod flux;
mod moved;
mod refused;
mod sizes;

use super::{accepted, ask, compute, manifest, message, ready, says, workspace};
use anyhow::{Context as _, Result};
use azureml_crds::MLPipeline;
use azureml_e2e::git_server::GitServer;
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting};
use serde_json::Value;

/// What is sent when one code version is registered.
const CODE: &str = "PUT workspaces/codes/versions";
/// What is sent for each component.
const COMPONENT: &str = "PUT workspaces/components/versions";

/// The operator's configuration: it knows the server's certificate, and namespaces may fetch from these hosts.
fn configured(server: &GitServer, hosts: &[&str], soon: &str) -> String {
    let hosts = match hosts {
        [] => String::new(),
        some => format!("sources: {{hosts: [{{namespaces: ['*'], hosts: ['{}']}}]}}\n", some.join("', '")),
    };
    // A fetch takes longer on a busy machine than what tests ask of Azure.
    let soon = soon.replace("requestTimeout: 5s", "requestTimeout: 60s");
    format!("caFile: '{}'\n{hosts}{GRANTS}{soon}", server.ca_file().display())
}

/// A scene whose operator may fetch from the server.
async fn scene(name: &str, server: &GitServer) -> Result<Scene> {
    let config = configured(server, &[server.host()], SOON);
    Scene::set(name, Setting { config, ..Setting::default() }).await
}

/// Everything that a pipeline needs but its files.
fn base() -> String {
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    [workspace(""), compute(""), manifest("MLEnvironment", "image", image)].concat()
}

/// A pipeline that runs `main.py` of a source.
fn pipeline(name: &str, source: &str) -> String {
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}, code: {{{source}}}}}, \
         steps: [{{name: only, python: {{script: main.py}}}}]"
    );
    manifest("MLPipeline", name, &spec)
}

/// A folder of the server's repository as a source.
fn git(url: &str, reference: &str, path: &str, more: &str) -> String {
    format!("git: {{url: '{url}', ref: {{{reference}}}, path: {path}{more}}}")
}

/// Waits until a pipeline is ready with a revision of its source.
async fn at(scene: &Scene, name: &str, revision: &str) -> Result<Value> {
    let is_there = |object: &MLPipeline| {
        let sources = object.status.as_ref().map(|status| status.sources.as_slice()).unwrap_or_default();
        sources.iter().any(|source| source.revision == revision)
    };
    scene.wait::<MLPipeline>(name, &format!("at {revision}"), is_there).await?;
    ready::<MLPipeline>(scene, name).await
}

/// The version of a pipeline that is in force.
fn version(object: &Value) -> Result<&str> {
    object["status"]["current"]["version"].as_str().with_context(|| format!("no version: {object}"))
}

/// How many code versions and components Azure has taken.
fn taken(scene: &Scene) -> (usize, usize) {
    (accepted(scene, CODE), accepted(scene, COMPONENT))
}
