//! How a step runs: how many nodes, as whom, with which services.
//!
//! In: `distribution`, `resources`, `identity`, `services`, `limits` and `environment_variables`. Out: fields of a step.

use super::compute::duration;
use super::context::Context;
use super::environment::tree;
use super::fields::{Fields, text};
use super::out::{Map, Out};
use super::read::{Node, Value};

/// A key of the CLI as the kinds spell it.
#[must_use]
pub fn camel(key: &str) -> String {
    let mut parts = key.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let mut letters = part.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}

/// A tree with its keys as the kinds spell them. The first level may be names of the user's.
#[must_use]
pub fn spelled(node: &Node, is_named: bool) -> Out {
    match &node.value {
        Value::List(items) => Out::List(items.iter().map(|item| spelled(item, false)).collect()),
        Value::Map(entries) => {
            let key = |key: &str| if is_named { key.to_owned() } else { camel(key) };
            Out::Map(entries.iter().map(|entry| (key(&entry.key), spelled(&entry.node, false))).collect())
        }
        Value::Null | Value::Scalar(_) => tree(node),
    }
}

/// `distribution`.
pub fn distribution(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<Map> {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let kind = fields.text("type", &mut ctx.findings).unwrap_or_default().to_lowercase();
    let mut own = Map::new();
    let names: &[(&'static str, &str)] = match kind.as_str() {
        "pytorch" | "mpi" => &[("process_count_per_instance", "processesPerInstance")],
        "tensorflow" => &[("worker_count", "workers"), ("parameter_server_count", "parameterServers")],
        "ray" => &[("port", "port"), ("dashboard_port", "dashboardPort")],
        _ => {
            let message = format!("{kind:?}: write pytorch, mpi, tensorflow or ray");
            ctx.findings.fail(fields.place_of("type"), &fields.path("type"), &message);
            return None;
        }
    };
    for (from, to) in names {
        own.put_some(to, fields.integer(from, &mut ctx.findings));
    }
    if kind == "ray" {
        own.put_some("includeDashboard", fields.boolean("include_dashboard", &mut ctx.findings));
    }
    fields.finish(&[], &mut ctx.findings);
    Some(Map::new().with(&kind, own))
}

/// Ways out for keys of resources.
const RESOURCES: [(&str, &str); 4] = [
    ("docker_args", "build what it does into the image"),
    ("locations", "a cluster is in the region of its workspace"),
    ("max_instance_count", "write instance_count"),
    ("properties", "they are for computes of other kinds"),
];

/// `resources`: those of the step, and the size of a node of serverless compute.
pub fn resources(
    ctx: &mut Context<'_>,
    node: &Node,
    key: &str,
    is_serverless: bool,
) -> (Map, Option<String>) {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let mut own = Map::new();
    own.put_some("instanceCount", fields.integer("instance_count", &mut ctx.findings));
    own.put_some("shmSize", fields.text("shm_size", &mut ctx.findings).map(|size| size.to_lowercase()));
    let size = fields.text("instance_type", &mut ctx.findings).filter(|_| is_serverless);
    if !is_serverless && fields.node("instance_type").is_some() {
        let message = "the nodes of a cluster have its size; remove this, or use serverless compute";
        ctx.findings.refuse(fields.place_of("instance_type"), &fields.path("instance_type"), message);
    }
    fields.finish(&RESOURCES, &mut ctx.findings);
    (own, size)
}

/// `identity` of a job.
pub fn identity(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<Map> {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let kind = fields.text("type", &mut ctx.findings).unwrap_or_default();
    let word = match kind.to_lowercase().replace('_', "").as_str() {
        "amltoken" => "AMLToken",
        "managed" | "managedidentity" => "Managed",
        "useridentity" => {
            let message = "a job acts as its sender only where a person sends it; write managed_identity";
            ctx.findings.refuse(fields.place_of("type"), &fields.path("type"), message);
            return None;
        }
        _ => {
            let message = format!("{kind:?}: write aml_token or managed_identity");
            ctx.findings.fail(fields.place_of("type"), &fields.path("type"), &message);
            return None;
        }
    };
    let mut own = Map::new().with("type", word);
    own.put_some("clientId", fields.text("client_id", &mut ctx.findings));
    let way = "write client_id";
    fields.finish(&[("object_id", way), ("msi_resource_id", way), ("resource_id", way)], &mut ctx.findings);
    Some(own)
}

/// `services`: programs of a node that a person opens.
pub fn services(ctx: &mut Context<'_>, node: &Node, key: &str) -> Map {
    let Value::Map(entries) = &node.value else { return Map::new() };
    let mut all = Vec::new();
    for entry in entries {
        let fields = Fields::of(&entry.node, &format!("{key}.{}", entry.key), &mut ctx.findings);
        let mut own = Map::new();
        let kind = fields.text("type", &mut ctx.findings);
        own.put_some("type", kind.or(fields.text("job_service_type", &mut ctx.findings)));
        own.put_some("port", fields.integer("port", &mut ctx.findings));
        own.put_some("nodes", fields.text("nodes", &mut ctx.findings));
        own.put_some("sshPublicKeys", fields.text("ssh_public_keys", &mut ctx.findings));
        own.put_some("logDir", fields.text("log_dir", &mut ctx.findings));
        let way = "write it as one of the other fields; its keys are documented nowhere";
        fields.finish(&[("properties", way)], &mut ctx.findings);
        all.push((entry.key.clone(), Out::Map(own)));
    }
    all.into_iter().collect()
}

/// `limits.timeout`, of a job without trials.
pub fn timeout(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<String> {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let seconds = fields.integer("timeout", &mut ctx.findings);
    if seconds.is_some_and(|seconds| seconds < 60) {
        let message = "the shortest timeout of a step is 60 seconds; raise it";
        ctx.findings.refuse(fields.place_of("timeout"), &fields.path("timeout"), message);
    }
    fields.finish(&[], &mut ctx.findings);
    seconds.map(duration)
}

/// `environment_variables`.
pub fn variables(ctx: &mut Context<'_>, node: &Node, key: &str) -> Map {
    let Value::Map(entries) = &node.value else { return Map::new() };
    let mut all = Vec::new();
    for entry in entries {
        let value = text(&entry.node, &format!("{key}.{}", entry.key), &mut ctx.findings);
        all.extend(value.map(|value| (entry.key.clone(), Out::from(value))));
    }
    all.into_iter().collect::<Map>().sorted()
}
