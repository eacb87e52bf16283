//! Bindings, `${{…}}`: what a text refers to.
//!
//! In: a text. Out: a binding, or a command in the spelling that the kinds take. Knows no pipeline.

use regex::Regex;
use std::sync::LazyLock;

/// What a whole text is bound to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Binding {
    /// `${{parent.inputs.x}}`.
    Input(String),
    /// `${{parent.outputs.x}}`.
    Output(String),
    /// `${{parent.jobs.s.outputs.o}}`.
    Step {
        /// The job, as the file names it.
        job: String,
        /// Its output.
        output: String,
    },
    /// A binding that means nothing here.
    Unknown,
}

/// A pattern of this file; the tests compile every one of them.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static WHOLE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*\$\{\{\s*([^{}]*?)\s*\}\}\s*$"));
static EACH: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\$\{\{\s*([^{}]*?)\s*\}\}"));
static GROUP: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"[ \t]*\$\[\[(.*?)\]\]"));

/// The binding that a text is as a whole; nothing where it is none.
#[must_use]
pub fn whole(text: &str) -> Option<Binding> {
    let found = WHOLE.as_ref()?.captures(text)?;
    let path = found.get(1)?.as_str();
    // Files of the first previews leave `parent.` out.
    let path = path.strip_prefix("parent.").unwrap_or(path);
    let parts: Vec<&str> = path.split('.').collect();
    Some(match parts.as_slice() {
        ["inputs", name] => Binding::Input((*name).to_owned()),
        ["outputs", name] => Binding::Output((*name).to_owned()),
        ["jobs", job, "outputs", output] => {
            Binding::Step { job: (*job).to_owned(), output: (*output).to_owned() }
        }
        _ => Binding::Unknown,
    })
}

/// What a text names inside of `${{…}}`, without blanks.
#[must_use]
pub fn named(text: &str) -> Vec<String> {
    let each = EACH.as_ref().into_iter().flat_map(|each| each.captures_iter(text));
    each.filter_map(|found| found.get(1).map(|name| name.as_str().to_owned())).collect()
}

/// A text whose bindings have no blanks.
#[must_use]
pub fn without_blanks(text: &str) -> String {
    EACH.as_ref().map_or_else(|| text.to_owned(), |each| each.replace_all(text, "$${{$1}}").into_owned())
}

/// A text without the groups `$[[…]]` that name one of these inputs.
#[must_use]
pub fn without_groups(text: &str, absent: &[&str]) -> String {
    let Some(group) = GROUP.as_ref() else { return text.to_owned() };
    let is_absent = |inside: &str| {
        named(inside)
            .iter()
            .any(|name| name.strip_prefix("inputs.").is_some_and(|name| absent.contains(&name)))
    };
    group
        .replace_all(
            text,
            |found: &regex::Captures<'_>| {
                if is_absent(&found[1]) { String::new() } else { found[0].to_owned() }
            },
        )
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_read_with_and_without_parent_and_blanks() {
        assert_eq!(whole("${{ parent.inputs.a }}"), Some(Binding::Input("a".into())));
        let step = Binding::Step { job: "s".into(), output: "o".into() };
        assert_eq!(whole("${{jobs.s.outputs.o}}"), Some(step));
        assert_eq!(whole("${{parent.outputs.o}}"), Some(Binding::Output("o".into())));
        assert_eq!(whole("${{name}}"), Some(Binding::Unknown));
        assert_eq!(whole("a ${{inputs.b}}"), None);
    }

    #[test]
    fn a_group_goes_with_the_input_that_has_no_value() {
        let text = "run --a ${{inputs.a}} $[[--b ${{inputs.b}}]] $[[--c ${{inputs.c}}]]";
        assert_eq!(without_groups(text, &["b"]), "run --a ${{inputs.a}} $[[--c ${{inputs.c}}]]");
        assert_eq!(without_blanks("${{ inputs.a }}"), "${{inputs.a}}");
        assert_eq!(named(text), ["inputs.a", "inputs.b", "inputs.c"]);
    }
}
