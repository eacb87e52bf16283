//! What we assume of Azure and no public source tells: data, in the modules below. Each has the question, what follows from it, what changes our
//! behaviour, and a probe. From this list come the page in the docs, the table of a check, and the answers in a recording.

mod documented;
mod recorded;

use crate::ground::Ground;
pub use crate::observed::{Observed, Verdict};
use anyhow::Result;
use futures::future::BoxFuture;

/// A probe: asks Azure, and cleans up what it can.
pub type Probe = for<'a> fn(&'a Ground<'a>) -> BoxFuture<'a, Result<Observed>>;

/// One assumption.
pub struct Assumption {
    /// Its name.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// What we assume.
    pub assumed: &'static str,
    /// Why.
    pub source: &'static str,
    /// What in our behaviour depends on it.
    pub depends: &'static str,
    /// What changes our behaviour: a setting, a field, or a place in the code.
    pub switch: &'static str,
    /// How `cargo xtask live` answers it.
    pub method: &'static str,
    /// What answers it.
    pub probe: Probe,
}

/// All of them, in the order of their probes.
pub fn all() -> impl Iterator<Item = &'static Assumption> {
    documented::DOCUMENTED.iter().chain(&recorded::RECORDED)
}

/// How many there are.
#[must_use]
pub fn count() -> usize {
    all().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_says_everything() {
        let mut ids: Vec<&str> = all().map(|assumption| assumption.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count());
        for one in all() {
            for text in [one.question, one.assumed, one.source, one.depends, one.switch, one.method] {
                assert!(
                    !text.is_empty() && !text.contains('|') && !text.contains('\n'),
                    "{}: {text}",
                    one.id
                );
            }
        }
    }

    #[test]
    fn what_a_switch_names_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let settings = std::fs::read_to_string(root.join("docs/configuration.yaml")).unwrap();
        for one in all() {
            let named = one.switch.split('`').skip(1).step_by(2);
            let mut file = None;
            for name in named {
                if name.contains('/') {
                    let text = std::fs::read_to_string(root.join(name));
                    file = Some(text.unwrap_or_else(|error| panic!("{}: {name}: {error}", one.id)));
                } else if let Some(text) = &file {
                    // What follows a file is in it.
                    let is_there = [format!("fn {name}("), format!("const {name}:"), format!("pub {name}:")];
                    assert!(is_there.iter().any(|item| text.contains(item)), "{}: no {name}", one.id);
                } else if let Some(setting) = one.switch.starts_with("setting").then_some(name) {
                    let last = setting.rsplit('.').next().unwrap();
                    assert!(settings.contains(&format!("{last}:")), "{}: no setting {setting}", one.id);
                }
            }
        }
    }
}
