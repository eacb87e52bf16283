//! The files of a step, and the code version that holds them.

use crate::invalid::InvalidSpec;
use crate::names;
use crate::source::{Sources, of_step};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;

/// The files of a step, in Azure ML.
#[derive(Clone, Debug, PartialEq)]
pub enum Code {
    /// Files that are uploaded where Azure ML does not have them.
    Files(Files),
    /// A code version that exists.
    Asset(ArmId),
}

impl Code {
    /// What is uploaded.
    #[must_use]
    pub fn files(&self) -> Option<&Files> {
        match self {
            Self::Files(files) => Some(files),
            Self::Asset(_) => None,
        }
    }

    /// What tells it from other code: a hash, or an id.
    #[must_use]
    pub fn content(&self) -> &str {
        match self {
            Self::Files(files) => &files.hash,
            Self::Asset(id) => id.as_str(),
        }
    }
}

/// Files that are uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// The hash by which Azure ML finds equal files.
    pub hash: String,
    /// The code version that we would make.
    pub id: ArmId,
}

/// The files of a step, where it has some. `asset` is the version that it names.
///
/// # Errors
/// When they were not fetched.
pub(super) fn code(
    pipeline: &MLPipeline,
    step: &Step,
    (sources, workspace): (&Sources, &ArmId),
    asset: Option<&ArmId>,
) -> Result<Option<Code>, InvalidSpec> {
    if let Some(id) = asset {
        return Ok(Some(Code::Asset(id.clone())));
    }
    let Some((field, source)) = of_step(pipeline, step) else { return Ok(None) };
    let hash = sources.files(&field, source)?.0.to_owned();
    let id = workspace.child("codes", &names::code(&hash)).child("versions", "1");
    Ok(Some(Code::Files(Files { hash, id })))
}

/// Whether a script of a step is among the step's files.
///
/// # Errors
/// When it is not, or the step has no files.
pub fn has_script(
    pipeline: &MLPipeline,
    step: &Step,
    sources: &Sources,
    script: &str,
) -> Result<(), InvalidSpec> {
    let Some((field, source)) = of_step(pipeline, step) else {
        let field = format!("steps.{}.code", step.name);
        return Err(InvalidSpec::new(field, "the script has no files; set code here or in defaults.code"));
    };
    if source.asset.is_some() {
        // What is in it is not looked at.
        return Ok(());
    }
    match sources.files(&field, source)?.1 {
        Some(paths) if !paths.has(script.trim_start_matches("./")) => {
            let message = format!(
                "there is no file {script}, which step {} runs; add it, or correct the name",
                step.name
            );
            Err(InvalidSpec::new(field, message))
        }
        // What is in place was looked at when it was applied.
        _ => Ok(()),
    }
}
