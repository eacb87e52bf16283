//! Azure's published contract: is a request one that Azure accepts, and is an answer one that Azure gives?
//! In: method, path and query, JSON. Out: nothing, or each violation with its place. Pure; the data are part of the binary.
//! Known: Azure ML 2024-04-01 and 2025-12-01, ACR tasks 2019-06-01-preview and 2025-03-01-preview, and, inside the parts
//! that these leave free, the keys that Microsoft's client writes. It knows nothing about who sent a request.

mod routes;
mod table;
mod tolerances;
mod unchanged;
mod values;
mod walk;

use std::fmt;

use serde_json::Value;

pub use tolerances::{Accepts, TOLERANCES, Tolerance};

use routes::Found;
use table::Table;
use walk::{Direction, Walk};

const AZURE: &str = include_str!("../../contract/azure.json");
const CLIENT: &str = include_str!("../../contract/client.json");

/// The contract, read once and shared.
#[derive(Debug)]
pub struct Contract {
    table: Table,
    tolerances: Vec<&'static Tolerance>,
}

/// One request as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// The body, when there is one.
    pub body: Option<&'a Value>,
}

/// One way in which a request or an answer is not what is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Azure's error code for it.
    pub code: &'static str,
    /// Where: `api-version`, `path`, `query.<name>`, `status` or the place in the body (`properties.jobs.train.limits`).
    pub path: String,
    /// What is wrong, what was expected and, where it can be told, what was meant.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} Path '{}'.", self.message, self.path)
    }
}

/// The data that are part of the binary cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is not the table it should be.
    #[error(
        "the reduced definitions in {file} cannot be read; generate them again with the script beside them"
    )]
    Data {
        /// The file's name.
        file: &'static str,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A type is used and not defined.
    #[error(
        "the reduced definitions use the type {name} and do not define it; generate them again with the scripts beside them"
    )]
    Unresolved {
        /// The type's name.
        name: String,
    },
}

impl Contract {
    /// The contract with the tolerances that real clients need.
    ///
    /// # Errors
    /// When the data in the binary are not usable.
    pub fn load() -> Result<Self, LoadError> {
        Self::tolerating(TOLERANCES)
    }

    /// The contract as a client must keep to it that wants to be sure of Azure: nothing is tolerated but what Azure itself
    /// shows and takes back.
    ///
    /// # Errors
    /// When the data in the binary are not usable.
    pub fn strict() -> Result<Self, LoadError> {
        Self::tolerating(TOLERANCES.iter().filter(|tolerance| tolerance.accepts == Accepts::Words))
    }

    /// The contract with some tolerances.
    ///
    /// # Errors
    /// When the data in the binary are not usable.
    pub fn tolerating(tolerances: impl IntoIterator<Item = &'static Tolerance>) -> Result<Self, LoadError> {
        Ok(Self { table: Table::parse(AZURE, CLIENT)?, tolerances: tolerances.into_iter().collect() })
    }

    /// Checks a request of a resource provider.
    ///
    /// A property that is read-only is accepted and not looked at, as Azure Resource Manager does, so that what was
    /// read can be sent back; a query parameter that the operation does not have is ignored.
    ///
    /// # Errors
    /// Each violation, in the order of the request.
    pub fn check_request(&self, call: &Call<'_>) -> Result<(), Vec<Violation>> {
        self.accept(call).map(drop)
    }

    /// Checks a request and says it in the published words: the body with what is tolerated put right, or nothing when
    /// it needs no change. Azure answers in these words, whatever it was asked with.
    ///
    /// # Errors
    /// As [`Contract::check_request`].
    pub fn accept(&self, call: &Call<'_>) -> Result<Option<Value>, Vec<Violation>> {
        let found = routes::find(&self.table, call)?;
        let mut walk = Walk::new(&self.table, &self.tolerances, found.described, Direction::Request);
        walk.violations = found.request(call);
        match (call.body, &found.operation.body) {
            (Some(body), Some(name)) => walk.named(name, body),
            (None, Some(_)) if found.operation.body_required => {
                walk.violations.push(Violation::body("A non-empty request body is required."));
            }
            (Some(Value::Null) | None, _) => {}
            (Some(_), None) => {
                walk.violations.push(Violation::body("The operation takes no request body."));
            }
        }
        if !walk.violations.is_empty() {
            return Err(walk.violations);
        }
        let replaced = call.body.filter(|_| !walk.replacements.is_empty()).cloned();
        Ok(replaced.map(|body| walk.replacements.into_iter().fold(body, replace)))
    }

    /// Checks an answer to a request; a status of 400 and above has Azure's error as its body.
    ///
    /// # Errors
    /// Each violation, in the order of the answer.
    pub fn check_response(
        &self,
        call: &Call<'_>,
        status: u16,
        body: Option<&Value>,
    ) -> Result<(), Vec<Violation>> {
        let body = body.filter(|body| !body.is_null());
        let found = match routes::find(&self.table, call) {
            Ok(found) => found,
            // What is not known is refused, with an error; there is nothing else to compare with.
            Err(_) if status >= 400 => return Ok(()),
            Err(violations) => return Err(violations),
        };
        let violations = match (found.answer(status)?, body) {
            (Some("any"), _) | (None, None) => Vec::new(),
            (Some(name), Some(body)) => self.walk(&found, Direction::Answer, name, body),
            (Some(_), None) if status >= 400 => Vec::new(),
            (Some(name), None) => {
                vec![Violation::body(format!("The answer {status} has no body, '{name}' is published."))]
            }
            (None, Some(_)) => {
                vec![Violation::body(format!("The answer {status} has a body, none is published."))]
            }
        };
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// The properties that a request would change although they are given once, at creation.
    ///
    /// `stored` is the resource as it is; only what the request says is compared.
    ///
    /// # Errors
    /// One violation, with Azure ML's code `Immutable`, for each such property.
    pub fn check_unchanged(&self, call: &Call<'_>, stored: &Value) -> Result<(), Vec<Violation>> {
        let found = routes::find(&self.table, call)?;
        let (Some(body), Some(name)) = (call.body, &found.operation.body) else { return Ok(()) };
        let mut walk = Walk::new(&self.table, &self.tolerances, found.described, Direction::Request);
        walk.unchanged(name, body, stored);
        if walk.violations.is_empty() { Ok(()) } else { Err(walk.violations) }
    }

    fn walk(&self, found: &Found<'_>, direction: Direction, name: &str, body: &Value) -> Vec<Violation> {
        let mut walk = Walk::new(&self.table, &self.tolerances, found.described, direction);
        walk.named(name, body);
        walk.violations
    }
}

impl Violation {
    fn body(message: impl Into<String>) -> Self {
        Self { code: "RequestInvalid", path: String::new(), message: message.into() }
    }
}

/// Puts a value at its place.
fn replace(mut body: Value, (place, value): (Vec<String>, Value)) -> Value {
    let pointer: String = place
        .iter()
        .map(|key| key.trim_matches(['[', ']']).replace('~', "~0").replace('/', "~1"))
        .flat_map(|key| ["/".to_owned(), key])
        .collect();
    if let Some(target) = body.pointer_mut(&pointer) {
        *target = value;
    }
    body
}
