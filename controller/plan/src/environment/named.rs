//! How an environment is named: the object in its namespace, the environment in Azure, and the content of its image.
//!
//! In: an object or its spec. Out: names. Nothing else decides them, so that a deletion and a status find what a plan made.

use crate::{hash, names};
use azureml_client::ArmId;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{Build, MLEnvironmentSpec, Platform};
use serde_json::json;

/// The name of the content: what decides whether anything is built.
#[must_use]
pub fn content_name(spec: &MLEnvironmentSpec) -> String {
    let MLEnvironmentSpec {
        build,
        image,
        // The id has them.
        workspace_ref: _,
        azure_name: _,
        // They can be changed where the image stays.
        description: _,
        tags: _,
        // What the operator does with an environment, and not what it is.
        deletion_policy: _,
        drift_policy: _,
    } = spec;
    let content = match (build, image) {
        // The builder does not change what is built.
        (Some(Build { dockerfile, args, platform, verify, builder: _ }), _) => json!({
            "dockerfile": dockerfile, "args": args, "verify": verify,
            "platform": platform.unwrap_or(Platform::LinuxAmd64),
        }),
        (None, image) => json!({"image": image}),
    };
    hash::name("environment", &content)
}

/// The environment's id: names alone decide it.
#[must_use]
pub fn id(environment: &MLEnvironment, workspace: &ArmId) -> ArmId {
    let (namespace, name) = named(environment);
    let generated = || names::generated(names::ENVIRONMENT, namespace, name);
    workspace.child("environments", &environment.spec.azure_name.clone().unwrap_or_else(generated))
}

/// The namespace and the name of the object.
pub(super) fn named(environment: &MLEnvironment) -> (&str, &str) {
    let meta = &environment.metadata;
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}
