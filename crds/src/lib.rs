//! The kinds of `azureml.dev/v1alpha1`: what a user writes (`spec`) and what the controller answers (`status`).
//!
//! Only nouns live here: types, their schema, their CEL rules. No network, no clock, no decision.
//!
//! ```text
//!                 ┌──────────── MLWorkspace ◄───────────┐ workspaceRef
//!                 │                  ▲                  │
//!            MLCompute         MLEnvironment        MLPipeline ◄──┬── MLSchedule   pipelineRef
//!                 ▲                  ▲                  │         └── MLRun        pipelineRef
//!                 └── compute.ref ───┴─ environment.ref ┤
//!                                                       ▼
//!                                                    MLData        inputs.X.ref, steps[].data.X.ref
//! ```

mod cron;
mod defaults;
mod engine;
pub mod files;
mod finish;
mod retry;
mod rules;
mod times;

pub mod literals;
pub mod ml_compute;
pub mod ml_data;
pub mod ml_environment;
pub mod ml_pipeline;
pub mod ml_run;
pub mod ml_schedule;
pub mod ml_workspace;
pub mod shared;
pub mod sharing;
pub mod source;
pub mod step;
pub mod values;
pub mod zones;

pub use ml_compute::MLCompute;
pub use ml_data::MLData;
pub use ml_environment::MLEnvironment;
pub use ml_pipeline::MLPipeline;
pub use ml_run::MLRun;
pub use ml_schedule::MLSchedule;
pub use ml_workspace::MLWorkspace;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResourceExt as _, Resource as _};

/// The API group of every kind.
pub const GROUP: &str = "azureml.dev";

/// Keeps an object until the controller has taken its leave of Azure.
pub const FINALIZER: &str = "azureml.dev/finalizer";

/// Annotation with any value: asks for one pass, and for one retry of what has failed.
pub const RECONCILE_REQUESTED_AT: &str = "azureml.dev/reconcile-requested-at";

/// Annotation `"true"`: nothing is changed in Azure, except by deleting the object.
pub const PAUSED: &str = "azureml.dev/paused";

/// Annotation that the controller writes on an MLRun: its name and the name of its first job. Backups keep it, so that a run that is restored does
/// not run again.
pub const JOB: &str = "azureml.dev/job";

/// Calls a macro with the list of all kinds and what many of one are called, in the order in which they depend on each other.
///
/// The definitions, the stores, the queues and the watches are made from this list.
#[macro_export]
macro_rules! for_each_kind {
    ($callback:ident) => {
        $callback! {
            workspaces: $crate::MLWorkspace,
            computes: $crate::MLCompute,
            environments: $crate::MLEnvironment,
            data: $crate::MLData,
            pipelines: $crate::MLPipeline,
            schedules: $crate::MLSchedule,
            runs: $crate::MLRun,
        }
    };
}

/// The names of all kinds, such as `MLCompute`, in the order in which they depend on each other.
#[must_use]
pub fn kinds() -> Vec<String> {
    macro_rules! names {
        ($($many:ident: $kind:path,)*) => { vec![$(<$kind>::kind(&()).into_owned()),*] };
    }
    for_each_kind!(names)
}

/// What many of a kind are called in addresses, such as `mlcomputes`; none where it is no kind of ours.
#[must_use]
pub fn plural(kind: &str) -> Option<String> {
    macro_rules! called {
        ($($many:ident: $kind:path,)*) => {
            $(if kind == <$kind>::kind(&()) { return Some(<$kind>::plural(&()).into_owned()); })*
        };
    }
    for_each_kind!(called);
    None
}

/// The kind that a word names as kubectl takes it: in any case, one or many, or short; none where it is no kind of ours.
#[must_use]
pub fn kind(word: &str) -> Option<String> {
    macro_rules! named {
        ($($many:ident: $kind:path,)*) => {
            $(
                let (one, many) = (<$kind>::kind(&()), <$kind>::plural(&()));
                let mut words = [one.as_ref(), many.as_ref()].into_iter().chain(<$kind>::shortnames().iter().copied());
                if words.any(|name| name.eq_ignore_ascii_case(word)) { return Some(one.to_string()); }
            )*
        };
    }
    for_each_kind!(named);
    None
}

/// The definitions of all kinds, as they are installed.
///
/// # Errors
/// When a definition cannot be expressed as JSON; a test proves that this does not happen.
pub fn all() -> Result<Vec<CustomResourceDefinition>, serde_json::Error> {
    macro_rules! definitions {
        ($($many:ident: $kind:path,)*) => { vec![$(finish::finish(&<$kind>::crd())?),*] };
    }
    Ok(for_each_kind!(definitions))
}
