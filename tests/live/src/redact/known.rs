//! What is to be replaced and what is forbidden: patterns, names that the workspace tells, secrets that were seen.
//!
//! In: exchanges. Out: expressions and texts to look for.

use super::{REGISTRY, SUBSCRIPTION};
use crate::recorder::Exchange;
use crate::setup::Setup;
use anyhow::Result;
use azureml_client::ArmId;
use regex::Regex;

/// Names shorter than this are not looked for everywhere.
const SHORT: usize = 6;

/// What is looked for everywhere.
pub struct Patterns {
    pub guid: Regex,
    pub signature: Regex,
    pub token: Regex,
    pub mail: Regex,
    pub address: Regex,
    pub secret: Regex,
}

impl Patterns {
    pub fn new() -> Result<Self> {
        Ok(Self {
            guid: Regex::new(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")?,
            signature: Regex::new(r#"(?i)([?&;](?:sig|access_token|code)=)[^&"\s]*"#)?,
            token: Regex::new(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*")?,
            mail: Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")?,
            address: Regex::new(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")?,
            secret: Regex::new(
                r"(?i)password|secret|token|connectionstring|(access|primary|secondary|account|instrumentation)key$|signature",
            )?,
        })
    }
}

/// A name as a word. A short one may be a word of everybody's, so it is looked for in addresses and ids alone.
pub fn word(name: &str) -> Result<Regex> {
    let escaped = regex::escape(name);
    let pattern = if name.len() < SHORT {
        format!(r"(?i)(^|[/=]){escaped}($|[/?&.])")
    } else {
        format!(r"(?i)(^|[^A-Za-z0-9_-]){escaped}($|[^A-Za-z0-9_-])")
    };
    Ok(Regex::new(&pattern)?)
}

/// The names that the workspace's own answer tells: of its registry, its storage account, its vault.
pub fn named_by(setup: &Setup, exchanges: &[Exchange]) -> Vec<(String, String)> {
    let own =
        exchanges.iter().filter(|exchange| exchange.path().eq_ignore_ascii_case(setup.workspace.as_str()));
    let Some(properties) =
        own.map(|exchange| &exchange.answer.json()["properties"]).find(|value| value.is_object())
    else {
        return Vec::new();
    };
    let kinds = [
        ("containerRegistry", REGISTRY),
        ("storageAccount", "stlive"),
        ("keyVault", "kvlive"),
        ("applicationInsights", "ailive"),
    ];
    let name = |key: &str| Some(ArmId::parse(properties[key].as_str()?).ok()?.name().to_owned());
    kinds.iter().filter_map(|(key, instead)| Some((name(key)?, (*instead).to_owned()))).collect()
}

/// What the finished text may not hold, in lower case, with the word for its sort.
pub fn forbidden(
    known: &[(String, String)],
    subscription: String,
    exchanges: &[Exchange],
) -> Vec<(&'static str, String)> {
    let replaced =
        known.iter().filter(|(name, instead)| name.len() >= SHORT && !name.eq_ignore_ascii_case(instead));
    let mut all: Vec<_> =
        replaced.map(|(name, _)| ("a name that was to be replaced", name.to_ascii_lowercase())).collect();
    if subscription != SUBSCRIPTION {
        all.push(("the subscription", subscription));
    }
    for exchange in exchanges {
        for name in ["authorization", "x-azureml-token"] {
            let token = exchange.header(name).trim_start_matches("Bearer ");
            all.extend((token.len() > 12).then(|| ("a token", token.to_ascii_lowercase())));
        }
        let signature = exchange.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("sig="));
        let signature = signature.filter(|text| text.len() > 6);
        all.extend(signature.map(|text| ("a signature", text.to_ascii_lowercase())));
    }
    all.sort();
    all.dedup();
    all
}
