//! What recorded answers of real Azure have in common, and whether an answer of the simulator is like them.
//! In: an answer with its request. Out: each difference that `facts/differences.json` does not explain. Pure; the facts are part of
//! the binary. It compares shapes (statuses, headers, codes, keys and their kinds), never values.

mod differences;
mod shape;

pub use differences::Difference;

use crate::wire::{Answer, Request};
use serde::Deserialize;
use serde_json::Value;
use shape::Keys;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::LazyLock;

/// Codes of the resource manager's own, which it gives before a provider is asked.
const GATEWAY: [&str; 9] = [
    "HttpResourceNotFound",
    "InvalidResourceNamespace",
    "InvalidResourceType",
    "MissingApiVersionParameter",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "SubscriptionNotFound",
    "AuthorizationFailed",
];

/// How many recorded answers it takes to say that a key does not exist.
const ENOUGH: u32 = 2;

/// What the recordings of one operation and outcome have in common.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    operation: String,
    outcome: String,
    #[serde(default)]
    variant: String,
    answers: u32,
    statuses: Vec<u16>,
    #[serde(default)]
    codes: Vec<Vec<String>>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    headers_sometimes: Vec<String>,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    #[cfg(test)]
    #[serde(default)]
    seconds: Vec<u64>,
    #[cfg(test)]
    sources: Vec<usize>,
}

/// The file.
#[derive(Debug, Deserialize)]
struct File {
    facts: Vec<Fact>,
    #[cfg(test)]
    sources: Vec<String>,
}

/// All facts, by operation, outcome and variant.
#[derive(Debug)]
pub struct Facts {
    by: HashMap<(String, String), Vec<Fact>>,
}

static FACTS: LazyLock<Result<Facts, serde_json::Error>> =
    LazyLock::new(|| Facts::parse(include_str!("../../facts/facts.json")));

/// What is different.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum What {
    /// A status that no recording has.
    Status,
    /// A chain of error codes that no recording has.
    Codes,
    /// A header that every recording has, or none.
    Header,
    /// A key that every recording has is missing.
    Missing,
    /// A key that no recording has, or none of the later ones.
    Extra,
    /// A value of a kind that no recording has.
    Kind,
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The operation.
    pub operation: String,
    /// What is different.
    pub what: What,
    /// Where: a key, a header, a status, a chain of codes.
    pub place: String,
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Recorded answers of Azure differ: {} {:?} '{}': {}",
            self.operation, self.what, self.place, self.text
        )
    }
}

/// Compares an answer with the facts of its operation; what is different on purpose is left out.
pub fn check(request: &Request, answer: &Answer) -> Vec<String> {
    match (&*FACTS, differences::all()) {
        (Err(error), _) | (_, Err(error)) => {
            vec![format!("The facts of the recordings cannot be read: {error}.")]
        }
        (Ok(facts), Ok(all)) => {
            let found = facts.compare(request, answer);
            let on_purpose = |one: &&Finding| all.iter().any(|difference| difference.explains(one));
            found.iter().filter(|one| !on_purpose(one)).map(ToString::to_string).collect()
        }
    }
}

impl Facts {
    /// Reads the file.
    ///
    /// # Errors
    /// When the text is not such a file.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(text)?;
        let mut by: HashMap<_, Vec<Fact>> = HashMap::new();
        for fact in file.facts {
            by.entry((fact.operation.clone(), fact.outcome.clone())).or_default().push(fact);
        }
        Ok(Self { by })
    }

    /// All differences of an answer, the explained ones too.
    pub fn compare(&self, request: &Request, answer: &Answer) -> Vec<Finding> {
        let method = request.method.as_str();
        let Some(operation) = shape::operation(method, &request.host, &request.target) else {
            return Vec::new();
        };
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let (status, variant) = (answer.status.as_u16(), shape::variant(&body));
        let outcome = if status < 400 { "ok".to_owned() } else { status.to_string() };
        let facts = self.by.get(&(operation, outcome)).map(Vec::as_slice).unwrap_or_default();
        // What is not shown is compared with what any variant shows; an unrecorded variant with nothing.
        let Some(fact) = facts.iter().find(|fact| fact.variant == variant) else { return Vec::new() };
        let codes = shape::codes(&body);
        if codes.first().is_some_and(|code| GATEWAY.contains(&code.as_str())) && status >= 400 {
            return Vec::new();
        }
        let mut found = fact.headers(answer);
        found.extend(fact.status(status, &codes));
        found.extend(fact.keys(&shape::keys(&body)));
        found
    }
}

impl Fact {
    fn finding(&self, what: What, place: &str, text: String) -> Finding {
        Finding { operation: self.operation.clone(), what, place: place.to_owned(), text }
    }

    fn status(&self, status: u16, codes: &[String]) -> Option<Finding> {
        if !self.statuses.contains(&status) {
            let text = format!("recorded are {:?}", self.statuses);
            return Some(self.finding(What::Status, &status.to_string(), text));
        }
        // Of refusals other than 404 the recordings have a few of many reasons: the outer code counts.
        let depth = if status == 404 { codes.len().max(1) } else { 1 };
        let same = |known: &Vec<String>| known.get(..depth) == codes.get(..depth);
        let fits =
            self.codes.iter().any(|known| same(known) && (status != 404 || known.len() == codes.len()));
        let none = self.codes.is_empty() && codes.is_empty();
        (status >= 400 && !fits && !none)
            .then(|| self.finding(What::Codes, &codes.join(" > "), format!("recorded are {:?}", self.codes)))
    }

    fn headers(&self, answer: &Answer) -> Vec<Finding> {
        let missing = self.headers.iter().filter(|name| !answer.headers.contains_key(name.as_str()));
        let missing = missing.map(|name| self.finding(What::Header, name, "every recording has it".into()));
        let waits = ["retry-after", "azure-asyncoperation"].into_iter().filter(|name| {
            let known = self.headers.iter().chain(&self.headers_sometimes).any(|have| have == name);
            answer.headers.contains_key(*name) && !known
        });
        missing
            .chain(waits.map(|name| self.finding(What::Header, name, "no recording has it".into())))
            .collect()
    }

    /// The recorded key with its mark and kinds.
    fn known(&self, key: &str) -> Option<(&str, &str)> {
        ["", "?", "-"]
            .into_iter()
            .find_map(|mark| Some((mark, self.keys.get(&format!("{key}{mark}"))?.as_str())))
    }

    /// Whether a recording shows what a place holds; where all of them have null, nothing is known of what is below.
    fn holds(&self, at: &str) -> bool {
        self.known(at).is_some_and(|(_, kinds)| kinds.contains("map") || kinds.contains("list"))
    }

    fn keys(&self, have: &Keys) -> Vec<Finding> {
        let holder = |key: &str| key.rsplit_once('.').map(|(at, _)| at.trim_end_matches("[]").to_owned());
        let there = |key: &str| {
            holder(key).is_none_or(|at| {
                have.get(&at).is_some_and(|kinds| kinds.contains("map"))
                    || have.keys().any(|other| other.starts_with(&format!("{at}[].")))
            })
        };
        let always = self.keys.keys().filter(|key| !key.ends_with(['?', '-']));
        let missing = always.filter(|key| !have.contains_key(*key) && there(key));
        let mut found: Vec<Finding> =
            missing.map(|key| self.finding(What::Missing, key, "every recording has it".into())).collect();
        for (key, kinds) in have {
            match self.known(key) {
                Some(("-", _)) => {
                    found.push(self.finding(What::Extra, key, "the later recordings do not have it".into()));
                }
                Some((_, known)) => found.extend(self.kind(key, known, kinds)),
                None if self.answers >= ENOUGH && holder(key).is_none_or(|at| self.holds(&at)) => {
                    found.push(self.finding(What::Extra, key, "no recording has it".into()));
                }
                None => {}
            }
        }
        found
    }

    /// A kind that no recording has; where all of them have null, nothing is known.
    fn kind(&self, key: &str, known: &str, kinds: &std::collections::BTreeSet<&str>) -> Option<Finding> {
        let odd: Vec<&str> = kinds
            .iter()
            .copied()
            .filter(|kind| *kind != "null" && known != "null" && !known.split('|').any(|one| one == *kind))
            .collect();
        (!odd.is_empty()).then(|| {
            self.finding(What::Kind, key, format!("it is {}, recorded is {known}", odd.join(" and ")))
        })
    }
}

#[cfg(test)]
mod tests;
