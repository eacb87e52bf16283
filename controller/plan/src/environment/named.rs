//! How an environment is named: the object in its namespace, the environment in Azure, and the content of its image.
//!
//! In: an object or its spec. Out: names. Nothing else decides them, so that a deletion and a status find what a plan made.

use super::images::Images;
use crate::{hash, names};
use azureml_client::ArmId;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{Build, Conda, MLEnvironmentSpec, Packages, Platform};
use serde_json::{Value, json};

/// The name of the content: what decides whether anything is built. Of a context the hash of its tree counts,
/// and not where it comes from. Of images that are followed the digests count, where something is built on them.
#[must_use]
pub fn content_name(spec: &MLEnvironmentSpec, tree: Option<&str>, images: &Images) -> String {
    let MLEnvironmentSpec {
        build,
        conda,
        packages,
        image,
        // The id has them.
        workspace_ref: _,
        azure_name: _,
        // It only signs in.
        image_pull_secret_ref: _,
        // What they were found to mean counts.
        rebuild: _,
        // They can be changed where the image stays.
        description: _,
        tags: _,
        // What the operator does with an environment, and not what it is.
        deletion_policy: _,
        drift_policy: _,
    } = spec;
    // The builder does not change what is built. Only what is written counts, so that another version of the operator, which may
    // write another Dockerfile, builds nothing anew.
    let mut content = match (build, conda, packages) {
        (Some(build), _, _) => built(build, tree),
        (None, Some(conda), _) => {
            // Of a source the text counts, and neither its place nor its name.
            let Conda { image, file, from, verify, builder: _ } = conda;
            // Azure ML makes another image of it.
            let builder = is_left_to_azureml(conda).then_some("azureml");
            let mut what = json!({"image": image, "file": file, "verify": verify, "builder": builder});
            if from.is_some() {
                what["file"] = json!({"sha256": tree});
            }
            json!({"conda": what})
        }
        (None, None, Some(packages)) => {
            let Packages { base, r, snapshot, pip, conda, apt, mirrors, verify, builder: _ } = packages;
            json!({"packages": {
                "base": base, "r": r, "snapshot": snapshot, "pip": pip, "conda": conda, "apt": apt, "mirrors": mirrors, "verify": verify,
            }})
        }
        (None, None, None) => json!({"image": image}),
    };
    let is_given = image.is_some() || conda.as_ref().is_some_and(is_left_to_azureml);
    if !is_given && !images.is_empty() {
        content["bases"] = json!(images.digests());
    }
    hash::name("environment", &content)
}

/// What is built. The builder does not change it.
fn built(build: &Build, tree: Option<&str>) -> Value {
    let Build {
        dockerfile,
        dockerfile_path,
        // The tree is what they hold.
        files: _,
        context: _,
        args,
        target,
        platform,
        verify,
        builder: _,
    } = build;
    let mut what = json!({
        "dockerfile": dockerfile, "args": args, "target": target, "verify": verify,
        "platform": platform.unwrap_or(Platform::LinuxAmd64),
    });
    if let Some(tree) = tree {
        what["context"] = json!({"hash": tree, "dockerfilePath": dockerfile_path});
    }
    what
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

/// Whether Azure ML builds a conda environment.
pub(super) fn is_left_to_azureml(conda: &Conda) -> bool {
    conda.builder.as_ref().is_some_and(|builder| builder.azureml.is_some())
}
