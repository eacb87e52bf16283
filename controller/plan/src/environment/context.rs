//! The context of a build: where its files are, and what is known of them.
//!
//! In: a spec, what was fetched, a status. Out: the source, its hash. Fetches nothing.

use crate::dockerfile::Context;
use crate::invalid::InvalidSpec;
use crate::source::{Held, Paths, Purpose, Sources};
use azureml_crds::MLEnvironment;
use azureml_crds::files::Files;
use azureml_crds::ml_environment::{Build, MLEnvironmentSpec};
use azureml_crds::source::Source;
use std::borrow::Cow;
use std::sync::Arc;

/// The field and the source of a context; none where a build has none.
#[must_use]
pub fn context(spec: &MLEnvironmentSpec) -> Option<(&'static str, Cow<'_, Source>)> {
    let Build { files, context, .. } = spec.build.as_ref()?;
    if let Some(context) = context {
        return Some(("build.context", Cow::Borrowed(context)));
    }
    let in_place = |files| Source { files: Some(files), ..Source::default() };
    files.clone().map(|files| ("build.files", Cow::Owned(in_place(files))))
}

/// What a context is fetched for.
#[must_use]
pub fn purpose(spec: &MLEnvironmentSpec) -> Purpose {
    Purpose::Context { dockerfile: spec.build.as_ref().and_then(|build| build.dockerfile_path.clone()) }
}

/// What was fetched of the context; none where a build has none.
///
/// # Errors
/// When it was not fetched.
pub(super) fn fetched<'a>(
    spec: &MLEnvironmentSpec,
    sources: &'a Sources,
) -> Result<Option<&'a Held>, InvalidSpec> {
    let Some((field, _)) = context(spec) else { return Ok(None) };
    let held = sources.held(field);
    held.map(Some).ok_or_else(|| InvalidSpec::new(field, "its files were not fetched"))
}

/// What is known of a context in place before it is read: the names of its files.
pub(super) fn in_place(spec: &MLEnvironmentSpec) -> Option<Held> {
    let (_, source) = context(spec)?;
    let names = || source.files.iter().flat_map(Files::names);
    source.files.as_ref().map(|files| Held {
        revision: files.hash().to_owned(),
        hash: files.hash().to_owned(),
        paths: Paths::of(names()),
        context: Some(Arc::new(Context::of(names(), None))),
    })
}

/// The hash of the context that a status tells. It names the version in force; one that nothing was built of names none.
#[must_use]
pub fn told(environment: &MLEnvironment) -> Option<&str> {
    let (field, _) = context(&environment.spec)?;
    let sources = &environment.status.as_ref()?.sources;
    sources.iter().find(|one| one.field == field).map(|one| one.hash.as_str())
}
