//! Arguments and variables of a Dockerfile, as they are known where a line stands.
//!
//! In: what is given, lines that declare and set. Out: words with values put in, or that a value cannot be told. Sees no image.

use std::collections::BTreeMap;

/// Arguments by name; none where a value cannot be told.
type Known = BTreeMap<String, Option<String>>;

/// A word from which only the builder can tell an image.
pub(super) struct Unclear(pub(super) String);

/// The longest name of an image: its registry, repository, tag and digest. Arguments that double could make it endless.
const LONGEST: usize = 1024;

/// What is known of arguments where a line stands.
pub(super) struct Arguments<'a> {
    given: &'a BTreeMap<String, String>,
    /// As a builder reads a `FROM`: what is declared before the first one, and given only where it is declared.
    before: Known,
    /// As a careless one reads anything: whatever was given, or said last.
    all: Known,
    /// Whether a stage has begun.
    pub(super) has_stage: bool,
}

impl<'a> Arguments<'a> {
    /// Before the first line.
    pub(super) fn of(given: &'a BTreeMap<String, String>) -> Self {
        let all = given.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        Self { given, before: Known::new(), all, has_stage: false }
    }

    /// An image that a stage begins from, as a builder reads it; none where it cannot be told.
    pub(super) fn begins_from(&self, word: &str) -> Option<String> {
        filled(word, &self.before).ok()
    }

    /// The words behind `ARG`.
    pub(super) fn declare(&mut self, words: &[&str]) {
        for word in words {
            let (name, default) =
                word.split_once('=').map_or((*word, None), |(name, text)| (name, Some(text)));
            if !self.has_stage {
                // One that is declared without a value has none, whatever it had before.
                let default = default.map_or(Some(String::new()), |text| filled(text, &self.before).ok());
                let value = self.given.get(name).cloned().map_or(default, Some);
                self.before.insert(name.to_owned(), value);
            }
            if let Some(default) = default.filter(|_| !self.given.contains_key(name)) {
                // A value that cannot be told matters only where it is used.
                let default = filled(default, &self.all).ok();
                self.all.insert(name.to_owned(), default);
            }
        }
    }

    /// A variable of a stage: `ENV a=b c=d`, or `ENV a b`.
    pub(super) fn set(&mut self, words: &[&str]) {
        let pairs: Vec<(&str, &str)> = match words {
            [name, rest @ ..] if !name.contains('=') => {
                rest.first().map(|text| (*name, *text)).into_iter().collect()
            }
            all => all.iter().filter_map(|word| word.split_once('=')).collect(),
        };
        for (name, text) in pairs {
            let value = filled(text, &self.all).ok();
            self.all.insert(name.to_owned(), value);
        }
    }

    /// A word in every reading.
    pub(super) fn read(&self, word: &str) -> [Result<String, Unclear>; 2] {
        [filled(word, &self.before), filled(word, &self.all)]
    }
}

/// A word as a builder reads it: without quotes and escapes, with `$NAME`, `${NAME}` and `${NAME:-default}` put in.
fn filled(word: &str, known: &Known) -> Result<String, Unclear> {
    let unclear = || Unclear(word.to_owned());
    let plain: String = word.chars().filter(|one| !"\"'\\`".contains(*one)).collect();
    let mut out = String::new();
    let mut rest = plain.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced =
            after.strip_prefix('{').map(|after| after.split_once('}').ok_or_else(unclear)).transpose()?;
        let (name, default, next) = if let Some((inside, next)) = braced {
            let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
            (name, default, next)
        } else {
            let end = after.find(|c: char| !is_of_name(c)).unwrap_or(after.len());
            (&after[..end], "", &after[end..])
        };
        if !name.chars().all(is_of_name) || default.contains('$') {
            return Err(unclear());
        }
        let value = known.get(name).map(|value| value.as_deref().ok_or_else(unclear)).transpose()?;
        out.push_str(value.filter(|value| !value.is_empty()).unwrap_or(default));
        if out.len() > LONGEST {
            return Err(unclear());
        }
        rest = next;
    }
    Ok(out + rest)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
