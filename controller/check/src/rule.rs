//! One rule of a definition: an expression of CEL over a value, and the words for a value that breaks it.
//!
//! In: the rule as the definition has it, and what `self` and `oldSelf` are. Out: nothing, or the fault.

use crate::unreadable::Unreadable;
use azureml_plan::InvalidSpec;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::ValidationRule;
use kube_cel::cel::{Context, Program, Value};

/// A rule.
pub struct Rule {
    holds: Program,
    message: Message,
    /// What is added to the path of the value, such as `.steps`.
    field: String,
    /// Whether it compares the value with the one before.
    pub is_transition: bool,
}

enum Message {
    Fixed(String),
    Written(Program),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// When it is not CEL.
    pub fn read(rule: ValidationRule) -> Result<Self, Unreadable> {
        let ValidationRule { rule, message, message_expression, field_path, reason: _, optional_old_self: _ } =
            rule;
        let holds = parse(&rule)?;
        let message = match message_expression {
            Some(expression) => Message::Written(parse(&expression)?),
            None => Message::Fixed(message.unwrap_or(format!("it breaks the rule {rule}"))),
        };
        let is_transition = holds.references().has_variable("oldSelf");
        Ok(Self { holds, message, field: field_path.unwrap_or_default(), is_transition })
    }

    /// What is wrong with the value that `self` is in a context.
    ///
    /// As for the API server, a rule that ends in an error does not hold.
    pub fn fault(&self, context: &Context<'_>, path: &str) -> Option<InvalidSpec> {
        if matches!(self.holds.execute(context), Ok(Value::Bool(true))) {
            return None;
        }
        let words = match &self.message {
            Message::Fixed(text) => text.clone(),
            Message::Written(expression) => match expression.execute(context) {
                Ok(Value::String(text)) => text.to_string(),
                other => format!("it breaks a rule that could not be put into words: {other:?}"),
            },
        };
        Some(InvalidSpec::new(format!("{path}{}", self.field), words))
    }
}

fn parse(text: &str) -> Result<Program, Unreadable> {
    Program::compile(text).map_err(|cause| Unreadable::Rule { rule: text.to_owned(), cause })
}
