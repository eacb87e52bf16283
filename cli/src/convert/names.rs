//! Names: of objects in Kubernetes, of steps, and which of them are taken.
//!
//! In: names of Azure ML. Out: names that the kinds take. The same names give the same names.

use azureml_plan::names::looks_generated;
use std::collections::BTreeMap;

/// The longest name of an object: a label's value.
const LONGEST: usize = 63;

/// The name of an object: lower-case letters, digits and `-`.
#[must_use]
pub fn object(name: &str) -> String {
    let name = squeezed(name, '-', |letter| letter.is_ascii_alphanumeric());
    let cut = name.get(..LONGEST).unwrap_or(&name).trim_matches('-').to_owned();
    if cut.is_empty() { "converted".to_owned() } else { cut }
}

/// The name of a step: lower-case letters, digits and `_`, not beginning with a digit.
#[must_use]
pub fn step(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' })
        .collect();
    let name =
        if name.starts_with(|letter: char| letter.is_ascii_digit()) { format!("_{name}") } else { name };
    name.get(..LONGEST).unwrap_or(&name).to_owned()
}

fn squeezed(name: &str, between: char, is_kept: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if is_kept(letter) {
            out.push(letter.to_ascii_lowercase());
        } else if !out.ends_with(between) {
            out.push(between);
        }
    }
    out.trim_matches(between).to_owned()
}

/// A name in Azure that the kinds take as `azureName`, or why they do not.
pub fn azure(name: &str, least: usize, most: usize, also: &str) -> Result<(), String> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || also.contains(letter);
    if name.len() < least || name.len() > most || !name.chars().all(is_letter) {
        return Err(format!("azureName takes {least} to {most} letters, digits and {also:?}"));
    }
    if looks_generated(name) {
        return Err("azureName takes no name that ends in eight digits of a hash".to_owned());
    }
    Ok(())
}

/// Names that are taken, by kind.
#[derive(Clone, Debug, Default)]
pub struct Taken(BTreeMap<(&'static str, String), usize>);

impl Taken {
    /// The name, or with a number behind it where it is taken.
    pub fn take(&mut self, kind: &'static str, wanted: &str) -> String {
        let uses = self.0.entry((kind, wanted.to_owned())).or_default();
        *uses += 1;
        if *uses == 1 {
            return wanted.to_owned();
        }
        let numbered = format!("{}-{uses}", wanted.get(..LONGEST - 4).unwrap_or(wanted));
        self.take(kind, &numbered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_objects_and_steps() {
        assert_eq!(object("My_Pipeline (2)"), "my-pipeline-2");
        assert_eq!(object("???"), "converted");
        assert_eq!(step("Train-Model"), "train_model");
        assert_eq!(step("2nd"), "_2nd");
        assert!(azure("cpu-cluster", 3, 24, "-").is_ok());
        assert!(azure("cpu-cluster-3f2a1b9c", 3, 24, "-").is_err());
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut taken = Taken::default();
        let names: Vec<String> = ["a", "a", "a-2", "a"].iter().map(|name| taken.take("Kind", name)).collect();
        assert_eq!(names, ["a", "a-2", "a-2-2", "a-3"]);
        assert_eq!(taken.take("Other", "a"), "a");
    }
}
