//! The body of a step: what it runs. Read from the spec in one place; everything that depends on the body matches on it.
//!
//! In: a step. Out: its command line, and which text a shell reads as the user wrote it.

use crate::invalid::InvalidSpec;
use crate::shell;
use azureml_crds::step::{Nested, Script, Step};

/// What a step runs.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A command: the operator registers a component for it.
    Own(Own<'a>),
    /// A component that exists, as the spec names it.
    Component(&'a str),
    /// A pipeline in the place of the step.
    Pipeline(&'a Nested),
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
}

impl<'a> Body<'a> {
    /// The body of a step.
    ///
    /// # Errors
    /// When the step has none, or more than one; the schema refuses that before.
    pub fn of(step: &'a Step) -> Result<Self, InvalidSpec> {
        match (&step.command, &step.python, &step.r, &step.component, &step.pipeline) {
            (Some(command), None, None, None, None) => Ok(Self::Own(Own::Command(command))),
            (None, Some(script), None, None, None) => Ok(Self::Own(Own::Python(script))),
            (None, None, Some(script), None, None) => Ok(Self::Own(Own::R(script))),
            (None, None, None, Some(component), None) => Ok(Self::Component(component)),
            (None, None, None, None, Some(nested)) => Ok(Self::Pipeline(nested)),
            _ => Err(InvalidSpec::new(
                format!("steps.{}", step.name),
                "set exactly one of command, python, r, component, pipeline",
            )),
        }
    }
}

impl<'a> Own<'a> {
    /// The command line; `step` is the name of the step.
    ///
    /// # Errors
    /// When an argument cannot be one word of it.
    pub fn command(self, step: &str) -> Result<String, InvalidSpec> {
        match self {
            Self::Command(command) => Ok(command.to_owned()),
            Self::Python(script) => program("python", script, step),
            Self::R(script) => program("Rscript", script, step),
        }
    }

    /// Whether it runs a file of the step's code.
    #[must_use]
    pub fn needs_code(self) -> bool {
        match self {
            Self::Command(_) => false,
            Self::Python(_) | Self::R(_) => true,
        }
    }

    /// The text that a shell reads as the user wrote it; empty where the operator writes the whole command line.
    #[must_use]
    pub fn written(self) -> &'a str {
        match self {
            Self::Command(command) => command,
            Self::Python(_) | Self::R(_) => "",
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
