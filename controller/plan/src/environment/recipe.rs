//! What is built for an environment: a Dockerfile of the user's, or one that the operator makes of packages.
//!
//! In: a spec. Out: files, arguments and the builder's settings, or nothing where no image is built here.

use super::bases::{bases, pinned};
use super::context::conda_file;
use super::generated::{self, DOCKERFILE};
use super::images::Images;
use super::named::{is_left_to_azureml, named};
use crate::dockerfile::{self, Context, Text, Written};
use crate::invalid::InvalidSpec;
use crate::reasons::Reason;
use crate::source::Held;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{AcrBuilder, Build, Builder, CondaBuilder, Platform};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is built.
pub(super) struct Recipe {
    /// The field of the spec that says so.
    pub field: &'static str,
    /// The Dockerfile and the files beside it.
    pub files: BTreeMap<String, String>,
    /// The hash of the context that they lie above.
    pub context: Option<String>,
    /// The path of the Dockerfile.
    pub dockerfile: String,
    /// The stage to stop at; none for the last one.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// What the image runs on.
    pub platform: Platform,
    /// The settings of ACR Tasks.
    pub acr: AcrBuilder,
}

impl Recipe {
    /// What is built for an environment; none where its image is given, or completed by Azure ML.
    ///
    /// # Errors
    /// When it cannot be built as it is written.
    pub(super) fn of(
        environment: &MLEnvironment,
        content: &str,
        held: Option<&Held>,
    ) -> Result<Option<Self>, InvalidSpec> {
        let spec = &environment.spec;
        let (namespace, name) = named(environment);
        let of = format!("{namespace}/{name}");
        let (field, files, builder) = match (&spec.build, &spec.conda, &spec.packages) {
            (Some(build), _, _) => return written(build, held).map(Some),
            (None, Some(conda), _) if is_left_to_azureml(conda) => return Ok(None),
            (None, Some(conda), _) => {
                let acr = conda.builder.clone().and_then(|CondaBuilder { acr, azureml: _ }| acr);
                ("conda", generated::conda(conda, &conda_file(conda, held)?, &of, content)?, acr)
            }
            (None, None, Some(packages)) => {
                let acr = packages.builder.clone().map(|Builder { acr }| acr);
                ("packages", generated::packages(packages, &of, content)?, acr)
            }
            (None, None, None) => return Ok(None),
        };
        Ok(Some(Self {
            field,
            files,
            context: None,
            dockerfile: DOCKERFILE.to_owned(),
            target: None,
            args: BTreeMap::new(),
            platform: Platform::LinuxAmd64,
            acr: builder.unwrap_or_default(),
        }))
    }
}

impl Recipe {
    /// The Dockerfile that the operator makes; none where the user wrote it.
    pub(super) fn generated(&self) -> Option<&str> {
        self.files.get(DOCKERFILE).filter(|_| self.field != "build").map(String::as_str)
    }

    /// The images with a tag that its stages begin from, each once.
    pub(super) fn bases(&self) -> Vec<String> {
        let text = self.files.get(&self.dockerfile).map(String::as_str).unwrap_or_default();
        let images: BTreeSet<String> = bases(text, &self.args).into_iter().map(|base| base.image).collect();
        images.into_iter().collect()
    }

    /// The same on the images whose digests are known.
    pub(super) fn pinned(mut self, images: &Images) -> Self {
        if let Some(text) = self.files.get_mut(&self.dockerfile) {
            *text = pinned(text, &self.args, &images.digests());
        }
        self
    }
}

/// The user's Dockerfile, and the field that says where it is: in the manifest, or in what was fetched of the context. None where the
/// context has none of this name.
pub(super) fn text<'a>(build: &'a Build, context: Option<&'a Held>) -> Option<Written<'a>> {
    if let Some(text) = &build.dockerfile {
        return Some(Written { field: "build.dockerfile", text });
    }
    let text = context?.context.as_ref()?.text.as_ref()?;
    Some(Written { field: "build.dockerfilePath", text })
}

/// A Dockerfile of the user's, with its checks.
fn written(build: &Build, held: Option<&Held>) -> Result<Recipe, InvalidSpec> {
    // The text has the target and what must be in the image; the files are fetched.
    let Build {
        dockerfile: _,
        dockerfile_path,
        files,
        context,
        target: _,
        verify: _,
        args,
        platform,
        builder,
    } = build;
    let path = dockerfile_path.clone().unwrap_or_else(|| DOCKERFILE.to_owned());
    let known = if files.is_none() && context.is_none() {
        Some(Arc::new(Context::of([DOCKERFILE].into_iter(), None)))
    } else {
        held.and_then(|held| held.context.clone())
    };
    let missing = || InvalidSpec {
        reason: Reason::INVALID_DOCKERFILE,
        ..InvalidSpec::new(
            "build.dockerfilePath",
            format!("the context has no text file {path} of at most 64 KiB; add it, or correct the path"),
        )
    };
    let text = text(build, held).ok_or_else(missing)?;
    let Text { dockerfile, target } = dockerfile::with_checks(text, build, known.as_deref())?;
    Ok(Recipe {
        field: "build",
        files: BTreeMap::from([(path.clone(), dockerfile)]),
        context: held.map(|held| held.hash.clone()),
        dockerfile: path,
        target,
        args: args.clone(),
        platform: platform.unwrap_or(Platform::LinuxAmd64),
        acr: builder.clone().map(|Builder { acr }| acr).unwrap_or_default(),
    })
}
