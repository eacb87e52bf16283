//! The files of a step, and the code version that holds them.

use crate::invalid::InvalidSpec;
use crate::names;
use crate::source::{Sources, of_step};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;

/// Files of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// The hash by which Azure ML finds equal files.
    pub hash: String,
    /// The code version that we would make.
    pub id: ArmId,
}

/// The files of a step, where it has some.
///
/// # Errors
/// When they were not fetched.
pub fn code(
    pipeline: &MLPipeline,
    step: &Step,
    sources: &Sources,
    workspace: &ArmId,
) -> Result<Option<Code>, InvalidSpec> {
    let Some((field, source)) = of_step(pipeline, step) else { return Ok(None) };
    let hash = sources.files(&field, source)?.0.to_owned();
    let id = workspace.child("codes", &names::code(&hash)).child("versions", "1");
    Ok(Some(Code { hash, id }))
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
