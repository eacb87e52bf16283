//! What is built for an environment: a Dockerfile of the user's, or one that the operator makes of packages.
//!
//! In: a spec. Out: files, arguments and the builder's settings, or nothing where no image is built here.

use super::generated::{self, DOCKERFILE};
use super::named::{is_left_to_azureml, named};
use crate::dockerfile::{self, Text};
use crate::invalid::InvalidSpec;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{AcrBuilder, Build, Builder, CondaBuilder, Platform};
use std::collections::BTreeMap;

/// What is built.
pub(super) struct Recipe {
    /// The field of the spec that says so.
    pub field: &'static str,
    /// The Dockerfile and the files beside it.
    pub files: BTreeMap<String, String>,
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
    pub(super) fn of(environment: &MLEnvironment, content: &str) -> Result<Option<Self>, InvalidSpec> {
        let spec = &environment.spec;
        let (namespace, name) = named(environment);
        let of = format!("{namespace}/{name}");
        let (field, files, builder) = match (&spec.build, &spec.conda, &spec.packages) {
            (Some(build), _, _) => return written(build).map(Some),
            (None, Some(conda), _) if is_left_to_azureml(conda) => return Ok(None),
            (None, Some(conda), _) => {
                let acr = conda.builder.clone().and_then(|CondaBuilder { acr, azureml: _ }| acr);
                ("conda", generated::conda(conda, &of, content)?, acr)
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
}

/// A Dockerfile of the user's, with its checks.
fn written(build: &Build) -> Result<Recipe, InvalidSpec> {
    let Text { dockerfile, target } = dockerfile::with_checks(build)?;
    // The text has the Dockerfile, the target and what must be in the image.
    let Build { dockerfile: _, target: _, verify: _, args, platform, builder } = build;
    Ok(Recipe {
        field: "build",
        files: BTreeMap::from([(DOCKERFILE.to_owned(), dockerfile)]),
        target,
        args: args.clone(),
        platform: platform.unwrap_or(Platform::LinuxAmd64),
        acr: builder.clone().map(|Builder { acr }| acr).unwrap_or_default(),
    })
}
