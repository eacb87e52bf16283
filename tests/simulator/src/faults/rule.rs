//! One fault as it is written in JSON, checked: what it matches, when it acts and what it does.

use super::{Recorded, Subject};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Why a fault cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The path is no regular expression.
    #[error("match.path is not a regular expression: {0}")]
    Path(#[source] regex::Error),
    /// The action does not go with the moment.
    #[error("with when: {when:?}, do must be {wanted}")]
    Action {
        /// The moment asked for.
        when: When,
        /// The actions that go with it.
        wanted: &'static str,
    },
    /// A status that is no HTTP status of an error or success.
    #[error("do.status must be between 200 and 599, not {0}")]
    Status(u16),
}

/// When a fault acts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the request has any effect.
    #[default]
    Before,
    /// After its effect: the answer is lost or replaced.
    After,
    /// When work ends by itself: an operation, a build, a step.
    Outcome,
}

/// Which requests a fault is for; what is absent does not restrict.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The method.
    #[serde(default)]
    pub method: Option<String>,
    /// A regular expression on path and query; for outcomes, on the ARM id (`…/jobs/<job>/steps/<step>` for a step).
    #[serde(default)]
    pub path: Option<String>,
    /// The first match, counted from 1, that is acted on; alone it is also the last.
    #[serde(default)]
    pub nth: Option<u64>,
    /// The application id of the token.
    #[serde(default)]
    pub client: Option<String>,
}

/// An answer instead of Azure's.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    /// The status.
    pub status: u16,
    /// The error code; by default one that goes with the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The error message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// More headers, for example `retry-after`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// How work ends badly.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The error code.
    pub code: String,
    /// The error message.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// `{"code", "message"}`, as Azure nests it in errors.
    pub fn json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Do {
    Word(Word),
    Fail { fail: Failure },
    Recorded { recorded: Recorded },
    Status(Forced),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Reset,
    Timeout,
    Hold,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answers with this status.
    Status(Forced),
    /// Answers as Azure does for a reason outside of what is simulated.
    Recorded(Recorded),
    /// Cuts the connection.
    Reset,
    /// Never answers.
    Timeout,
    /// Waits until the fault is taken away.
    Hold,
    /// Lets work end with this failure.
    Fail(Failure),
}

/// A fault as it arrives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// A name to take it away by; made up when absent.
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "match", default)]
    matches: Match,
    #[serde(default)]
    when: When,
    #[serde(rename = "do")]
    action: Do,
    /// How often it acts; without it and without `nth`, always.
    #[serde(default)]
    times: Option<u64>,
}

/// A fault, checked.
pub struct Rule {
    /// Its name.
    pub id: String,
    method: Option<String>,
    path: Option<Regex>,
    client: Option<String>,
    /// The first match acted on.
    pub nth: Option<u64>,
    /// How often it acts.
    pub times: Option<u64>,
    /// When it acts.
    pub when: When,
    /// What it does.
    pub action: Action,
}

impl Rule {
    /// Checks a fault; `number` names one without an id.
    pub fn new(spec: Spec, number: u64) -> Result<Self, RuleError> {
        let action = match spec.action {
            Do::Word(Word::Reset) => Action::Reset,
            Do::Word(Word::Timeout) => Action::Timeout,
            Do::Word(Word::Hold) => Action::Hold,
            Do::Fail { fail } => Action::Fail(fail),
            Do::Recorded { recorded } => Action::Recorded(recorded),
            Do::Status(status) if !(200..600).contains(&status.status) => {
                return Err(RuleError::Status(status.status));
            }
            Do::Status(status) => Action::Status(status),
        };
        let fits = match (&action, spec.when) {
            (Action::Hold, _) => true,
            (Action::Fail(_), when) => when == When::Outcome,
            (Action::Status(_) | Action::Recorded(_) | Action::Reset | Action::Timeout, when) => {
                when != When::Outcome
            }
        };
        if !fits {
            let requests =
                "{status, code?, message?, headers?}, {recorded}, \"reset\", \"timeout\" or \"hold\"";
            let wanted =
                if spec.when == When::Outcome { "{fail: {code, message}} or \"hold\"" } else { requests };
            return Err(RuleError::Action { when: spec.when, wanted });
        }
        Ok(Self {
            id: spec.id.unwrap_or_else(|| format!("fault-{number}")),
            method: spec.matches.method,
            path: spec.matches.path.as_deref().map(Regex::new).transpose().map_err(RuleError::Path)?,
            client: spec.matches.client,
            nth: spec.matches.nth,
            times: spec.times,
            when: spec.when,
            action,
        })
    }

    /// Whether the fault is for this request.
    pub fn matches(&self, subject: Subject<'_>) -> bool {
        self.when != When::Outcome
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(subject.method))
            && self.client.as_ref().is_none_or(|client| Some(client.as_str()) == subject.client)
            && self.path.as_ref().is_none_or(|path| path.is_match(subject.url))
    }

    /// Whether the fault is for work on the thing with this ARM id.
    pub fn concerns(&self, id: &str) -> bool {
        self.when == When::Outcome && self.path.as_ref().is_none_or(|path| path.is_match(id))
    }

    /// The rule as it was written.
    pub fn json(&self) -> Value {
        let action = match &self.action {
            Action::Status(status) => json!(status),
            Action::Recorded(recorded) => json!({ "recorded": recorded }),
            Action::Reset => json!("reset"),
            Action::Timeout => json!("timeout"),
            Action::Hold => json!("hold"),
            Action::Fail(failure) => json!({ "fail": failure }),
        };
        let path = self.path.as_ref().map(Regex::as_str);
        json!({
            "id": self.id, "when": self.when, "do": action, "times": self.times,
            "match": { "method": self.method, "path": path, "nth": self.nth, "client": self.client },
        })
    }
}
