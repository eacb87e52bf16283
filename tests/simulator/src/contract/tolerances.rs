//! What Azure accepts from real clients beside its published definitions, each with the client that needs it.
//! A table and its look-up. Nothing that this project's own controller sends needs a line: the tests check it strictly.

use serde_json::Value;

use super::table::Schema;
use super::walk::Direction;

/// One thing that is accepted although the definitions do not have it.
#[derive(Debug)]
pub struct Tolerance {
    /// Types and properties, with `[]` for the entries of a list.
    pub at: &'static [&'static str],
    /// What is accepted there.
    pub accepts: Accepts,
    /// The client that sends it, or why Azure answers so.
    pub reason: &'static str,
}

/// What a tolerance accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// In requests, values that differ from published ones in case alone: Azure reads enumerations in any case.
    Values(&'static [&'static str]),
    /// In requests, a number where text is published.
    Number,
    /// In requests, a boolean where text is published.
    Boolean,
    /// In requests and answers, a property that is not published.
    Property,
    /// In answers, a required property that is left out.
    Absence,
    /// In requests and answers, text that is a boolean or a number; the places are beginnings of names of types.
    Words,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Missing,
    Null,
    Type,
    Unknown,
    Value,
}

/// All tolerances.
pub const TOLERANCES: &[Tolerance] = &[
    Tolerance {
        at: &["ManagedServiceIdentity.type"],
        accepts: Accepts::Values(&["Userassigned"]),
        reason: "azure-ai-ml 1.35.2 writes the identity of a compute so",
    },
    Tolerance {
        at: &["BatchEndpoint.authMode"],
        accepts: Accepts::Values(&["aadToken"]),
        reason: "azure-ai-ml 1.35.2 writes the mode of a batch endpoint so",
    },
    Tolerance {
        at: &["RecurrenceTrigger.frequency"],
        accepts: Accepts::Values(&["minute", "hour", "day", "week", "month"]),
        reason: "azure-ai-ml 1.35.2 writes the frequency of a schedule as in its YAML",
    },
    Tolerance {
        at: &["RecurrenceSchedule.weekDays[]"],
        accepts: Accepts::Values(&[
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ]),
        reason: "azure-ai-ml 1.35.2 writes the days of a schedule as in its YAML",
    },
    Tolerance {
        at: &["CodeVersion.properties.hash_version"],
        accepts: Accepts::Number,
        reason: "azure-ai-ml 1.35.2 sends the version of its content hash as a number",
    },
    Tolerance {
        at: &["settings.deployment.continue_on_step_failure", "settings.deployment.force_rerun"],
        accepts: Accepts::Boolean,
        reason: "azure-ai-ml 1.35.2 sends the switches of a pipeline deployment as booleans",
    },
    Tolerance {
        at: &[
            "component.command._source",
            "component.parallel._source",
            "component.pipeline._source",
            "component.spark._source",
            "node.command._source",
            "node.parallel._source",
            "node.pipeline._source",
            "node.spark._source",
            "node.sweep._source",
            "settings.job._source",
        ],
        accepts: Accepts::Property,
        reason: "azure-ai-ml 1.35.2 marks for its telemetry where a definition came from",
    },
    Tolerance {
        at: &["component.", "client."],
        accepts: Accepts::Words,
        reason: "Azure shows every value of a componentSpec as text, and takes back what it has shown",
    },
    Tolerance {
        at: &["PlatformProperties.os"],
        accepts: Accepts::Values(&["linux", "windows"]),
        reason: "`az acr build` writes the platform as its argument does",
    },
    Tolerance {
        at: &["Argument.type"],
        accepts: Accepts::Property,
        reason: "`az acr build` sends the arguments of a build with the type of their model",
    },
    Tolerance {
        at: &[
            "AccountKeyDatastoreCredentials.secrets",
            "SasDatastoreCredentials.secrets",
            "ServicePrincipalDatastoreCredentials.secrets",
        ],
        accepts: Accepts::Absence,
        reason: "Azure never shows the secrets of a datastore in an answer, only through `Datastores_ListSecrets`",
    },
];

/// Whether Azure has a cluster of such a name, although the pattern of 2025-12-01 refuses names that end in `-` and digits:
/// recorded schedules ran on `cpu-cluster-1` (`schedule-put--recurrence`, 2022-12-30, 2023-01-18 and 2023-04-25).
pub(super) fn is_name(path: &str, name: &str) -> bool {
    let is_legal = |character: char| character.is_ascii_alphanumeric() || character == '-';
    path.to_ascii_lowercase().contains("/computes/")
        && (3..=24).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(is_legal)
}

impl Tolerance {
    /// Whether it covers a fault.
    pub(super) fn covers(&self, direction: Direction, owner: &str, fault: Fault, value: &Value) -> bool {
        let request = direction == Direction::Request;
        let accepted = match self.accepts {
            Accepts::Values(values) => {
                request && fault == Fault::Value && values.iter().any(|one| value == *one)
            }
            Accepts::Number => request && fault == Fault::Type && value.is_number(),
            Accepts::Boolean => request && fault == Fault::Type && value.is_boolean(),
            Accepts::Property => fault == Fault::Unknown,
            Accepts::Absence => !request && fault == Fault::Missing,
            Accepts::Words => {
                let starts = self.at.iter().any(|start| owner.starts_with(start));
                return fault == Fault::Type && starts && word(value).is_some();
            }
        };
        accepted && self.at.contains(&owner)
    }

    /// What a value that it covers means in the published words.
    pub(super) fn published(&self, schema: &Schema, value: &Value) -> Option<Value> {
        match self.accepts {
            Accepts::Values(_) => {
                let text = value.as_str()?;
                let known = schema.values.iter().flatten().find(|known| known.eq_ignore_ascii_case(text));
                known.map(|known| known.as_str().into())
            }
            Accepts::Number | Accepts::Boolean => Some(value.to_string().into()),
            Accepts::Words => word(value),
            Accepts::Property | Accepts::Absence => None,
        }
    }
}

/// The boolean or number that a text is in the words of the service: `True`, `10.5`.
fn word(value: &Value) -> Option<Value> {
    match value.as_str()? {
        "True" => Some(true.into()),
        "False" => Some(false.into()),
        text => serde_json::from_str(text).ok().filter(|read: &Value| read.is_number() || read.is_boolean()),
    }
}
