//! The context of a build, or the conda file: where they are, and what is known of them.
//!
//! In: a spec, what was fetched, a status. Out: the source, its hash. Fetches nothing.

use super::generated::{CondaFile, Installed};
use crate::dockerfile::Context;
use crate::invalid::InvalidSpec;
use crate::source::{Held, Paths, Purpose, Sources};
use crate::tree;
use azureml_crds::MLEnvironment;
use azureml_crds::files::Files;
use azureml_crds::ml_environment::{Build, Conda, MLEnvironmentSpec};
use azureml_crds::source::Source;
use std::borrow::Cow;
use std::sync::Arc;

/// The field of a conda file that comes from a source.
const FROM: &str = "conda.from";

/// The field and the source of a context, or of a conda file; none where there is none.
#[must_use]
pub fn context(spec: &MLEnvironmentSpec) -> Option<(&'static str, Cow<'_, Source>)> {
    if let Some(from) = spec.conda.as_ref().and_then(|conda| conda.from.as_ref()) {
        return Some((FROM, Cow::Owned(from.source())));
    }
    let Build { files, context, .. } = spec.build.as_ref()?;
    if let Some(context) = context {
        return Some(("build.context", Cow::Borrowed(context)));
    }
    let in_place = |files| Source { files: Some(files), ..Source::default() };
    files.clone().map(|files| ("build.files", Cow::Owned(in_place(files))))
}

/// What the files are fetched for.
#[must_use]
pub fn purpose(spec: &MLEnvironmentSpec) -> Purpose {
    if let Some(from) = spec.conda.as_ref().and_then(|conda| conda.from.as_ref()) {
        return Purpose::File { path: tree::path(&from.path).unwrap_or_else(|_| from.path.clone()) };
    }
    Purpose::Context { dockerfile: spec.build.as_ref().and_then(|build| build.dockerfile_path.clone()) }
}

/// The conda file: in place, or as it was fetched.
///
/// # Errors
/// When it is no conda file, or no text.
pub(super) fn conda_file<'a>(conda: &'a Conda, held: Option<&'a Held>) -> Result<Installed<'a>, InvalidSpec> {
    let (text, from) = match (&conda.file, &conda.from) {
        (Some(text), _) => (text.as_str(), None),
        (None, Some(from)) => {
            let text = held.and_then(|held| held.context.as_ref()?.text.as_deref());
            let no_text = || InvalidSpec::new(FROM, format!("{} is no text; save it as UTF-8", from.path));
            (text.ok_or_else(no_text)?, Some(from))
        }
        (None, None) => return Err(InvalidSpec::new("conda", "set one of file, from")),
    };
    let named = CondaFile::read(text).map_err(|error| match from {
        Some(from) => InvalidSpec::new(FROM, format!("{}: {}", from.path, error.message)),
        None => error,
    })?;
    Ok(Installed { text, named })
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

/// Whether the text of which an image is made is known only when it is fetched.
pub(super) fn is_elsewhere(spec: &MLEnvironmentSpec) -> bool {
    let has_path = spec.build.as_ref().is_some_and(|build| build.dockerfile_path.is_some());
    has_path || spec.conda.as_ref().is_some_and(|conda| conda.from.is_some())
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
