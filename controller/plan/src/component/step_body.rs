//! The body of a step: what it runs. Read from the spec in one place; everything that depends on the body matches on it.
//!
//! In: a step. Out: its command line, and which text a shell reads as the user wrote it.

use super::bodies::databricks;
use crate::invalid::InvalidSpec;
use crate::shell;
use azureml_crds::step::{AutoMl, Databricks, Nested, Parallel, Raw, Script, Spark, Step};

/// What a step runs.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A command: the operator registers a component for it.
    Own(Own<'a>),
    /// A component that exists, as the spec names it.
    Component(&'a str),
    /// A pipeline in the place of the step.
    Pipeline(&'a Nested),
    /// A search for the best model.
    AutoMl(&'a AutoMl),
    /// A node as the service takes it.
    Raw(&'a Raw),
}

/// What a step of its own runs.
#[derive(Clone, Copy, Debug)]
pub enum Own<'a> {
    /// A text that a shell reads as it is written.
    Command(&'a str),
    /// A Python script with arguments.
    Python(&'a Script),
    /// An R script with arguments.
    R(&'a Script),
    /// A function over batches of data.
    Parallel(&'a Parallel),
    /// A Spark program.
    Spark(&'a Spark),
    /// A run on Databricks, of the step.
    Databricks(&'a Databricks, &'a Step),
}

impl<'a> Body<'a> {
    /// The body of a step.
    ///
    /// # Errors
    /// When the step has none, or more than one; the schema refuses that before.
    pub fn of(step: &'a Step) -> Result<Self, InvalidSpec> {
        let Step {
            command, python, r, component, pipeline, parallel, spark, databricks, automl, raw, ..
        } = step;
        let bodies = [
            command.as_deref().map(|command| Self::Own(Own::Command(command))),
            python.as_ref().map(|script| Self::Own(Own::Python(script))),
            r.as_ref().map(|script| Self::Own(Own::R(script))),
            component.as_deref().map(Self::Component),
            pipeline.as_ref().map(Self::Pipeline),
            parallel.as_ref().map(|parallel| Self::Own(Own::Parallel(parallel))),
            spark.as_ref().map(|spark| Self::Own(Own::Spark(spark))),
            automl.as_ref().map(Self::AutoMl),
            raw.as_ref().map(Self::Raw),
            databricks.as_ref().map(|databricks| Self::Own(Own::Databricks(databricks, step))),
        ];
        let mut set = bodies.into_iter().flatten();
        match (set.next(), set.next()) {
            (Some(body), None) => Ok(body),
            _ => Err(InvalidSpec::new(
                format!("steps.{}", step.name),
                "set exactly one of command, python, r, component, pipeline, parallel, spark, automl, raw, databricks",
            )),
        }
    }
}

impl<'a> Own<'a> {
    /// The command line, or the arguments of what has none; `step` is the name of the step.
    ///
    /// # Errors
    /// When an argument cannot be one word of it.
    pub fn command(self, step: &str) -> Result<String, InvalidSpec> {
        match self {
            Self::Command(command) => Ok(command.to_owned()),
            Self::Python(script) => program("python", script, step),
            Self::R(script) => program("Rscript", script, step),
            Self::Parallel(parallel) => Ok(parallel.task.program_arguments.clone().unwrap_or_default()),
            Self::Spark(spark) => Ok(spark.args.clone().unwrap_or_default()),
            Self::Databricks(run, step) => databricks::command(step, run),
        }
    }

    /// The file of the step's code that it runs.
    #[must_use]
    pub fn script(self) -> Option<&'a str> {
        match self {
            Self::Command(_) | Self::Databricks(..) => None,
            Self::Python(script) | Self::R(script) => Some(&script.script),
            Self::Parallel(parallel) => Some(&parallel.task.entry_script),
            Self::Spark(spark) => Some(&spark.entry.file),
        }
    }

    /// Whether it has files of its own, or those of the pipeline's defaults.
    #[must_use]
    pub fn takes_code(self) -> bool {
        !matches!(self, Self::Databricks(..))
    }

    /// Whether it needs an environment: its own, or that of the pipeline's defaults.
    #[must_use]
    pub fn needs_environment(self) -> bool {
        match self {
            Self::Command(_) | Self::Python(_) | Self::R(_) | Self::Parallel(_) | Self::Databricks(..) => {
                true
            }
            Self::Spark(_) => false,
        }
    }

    /// The text in which inputs and outputs are used as the user wrote it.
    #[must_use]
    pub fn texts(self) -> Vec<&'a str> {
        match self {
            Self::Spark(spark) => spark.args.iter().map(String::as_str).collect(),
            Self::Command(command) => vec![command],
            Self::Databricks(run, _) => databricks::texts(run),
            Self::Python(script) | Self::R(script) => script.args.iter().map(String::as_str).collect(),
            Self::Parallel(Parallel { task, input_data, .. }) => {
                let texts = [Some(input_data), task.program_arguments.as_ref(), task.append_row_to.as_ref()];
                texts.into_iter().flatten().map(String::as_str).collect()
            }
        }
    }
}

fn program(interpreter: &str, script: &Script, step: &str) -> Result<String, InvalidSpec> {
    let Script { script, args } = script;
    if let Some(arg) = args.iter().find(|arg| shell::has_part_of_group(arg)) {
        let message = format!(
            "{arg:?} has a group in it; write the whole argument as a group: $[[--name=${{{{inputs.name}}}}]]"
        );
        return Err(InvalidSpec::new(format!("steps.{step}.args"), message));
    }
    Ok(shell::line(&[interpreter, script], args))
}
