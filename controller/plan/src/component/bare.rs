//! Inputs that a command uses outside of single quotes: bare, where a shell splits and expands a value, or in double quotes,
//! where it expands it. Only values that it leaves as they are may be given to them.
//!
//! In: the command of a step, a value. Out: names of inputs, or what is wrong with a value. It reads quotes, backslashes and
//! comments of a POSIX shell, and nothing else: in a command with a here-document, a command substitution or an expansion in
//! double quotes, backquotes, `$'`, or a quote that is never closed, every input counts as bare.

use super::step_body::{Body, Own};
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::step::Step;
use azureml_crds::values::{InputMode, InputType, Literal};
use std::collections::BTreeMap;

/// Where a command uses an input, the most dangerous place last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In double quotes at least once, and never bare.
    InDoubleQuotes,
    /// Without quotes at least once.
    Bare,
}

/// The inputs that stand outside of single quotes at least once.
fn places(command: &str) -> BTreeMap<&str, Place> {
    let (mut names, mut places) = (Vec::new(), BTreeMap::new());
    let (mut shell, mut rest) = (Shell::default(), command);
    // Behind the last of them nothing is an expression: without this, a text of beginnings alone takes its length squared.
    let last = command.rfind("}}").unwrap_or(0);
    while let Some(next) = rest.chars().next() {
        let may_end = command.len() - rest.len() < last;
        let expression = rest.strip_prefix("${{").filter(|_| may_end);
        if let Some((expression, after)) = expression.and_then(|rest| rest.split_once("}}")) {
            if let Some(name) = expression.strip_prefix("inputs.") {
                names.push(name);
                if let Some(place) = shell.place() {
                    let worst = places.entry(name).or_insert(place);
                    *worst = place.max(*worst);
                }
            }
            shell.take('x');
            rest = after;
        } else {
            shell.take(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    if shell.quote.is_some() || shell.is_nested || command.contains("<<") {
        return names.into_iter().map(|name| (name, Place::Bare)).collect();
    }
    places
}

/// The inputs of a step of its own by their place. Arguments of scripts are quoted by the operator, so none stands there. What becomes of
/// the arguments of other bodies is not known: each stands without quotes.
pub(super) fn of_own(own: Own<'_>) -> BTreeMap<&str, Place> {
    match own {
        Own::Command(command) => places(command),
        Own::Python(_) | Own::R(_) | Own::Databricks(..) => BTreeMap::new(),
        Own::Parallel(_) | Own::Spark(_) => {
            let texts = own.texts().into_iter();
            let names = texts.flat_map(|text| text.split("${{inputs.").skip(1));
            names.filter_map(|rest| Some((rest.split_once("}}")?.0, Place::Bare))).collect()
        }
    }
}

/// Where a shell is in a command.
#[derive(Default)]
struct Shell {
    /// The quote that is open.
    quote: Option<char>,
    /// The character before, unless a backslash took its meaning.
    before: Option<char>,
    /// The character before the last backslash.
    joined: Option<char>,
    is_comment: bool,
    /// Whether there are quotes within quotes, which are not followed.
    is_nested: bool,
}

impl Shell {
    fn take(&mut self, next: char) {
        if self.is_comment {
            self.is_comment = next != '\n';
            self.before = Some(next);
            return;
        }
        if self.before == Some('\\') && self.quote != Some('\'') {
            if next == '\n' {
                // The two are nothing: what is next stands where the backslash did.
                self.before = self.joined;
            } else {
                // Not a backslash, not a blank, nothing that begins anything.
                self.before = Some('x');
            }
            return;
        }
        if next == '\\' {
            self.joined = self.before;
        }
        let is_first = self.before.is_none_or(|before| before.is_whitespace() || ";&|()".contains(before));
        self.is_nested |= self.nests(next);
        match (next, self.quote) {
            ('#', None) if is_first => self.is_comment = true,
            ('\'' | '"', None) => self.quote = Some(next),
            (_, Some(open)) if open == next => self.quote = None,
            _ => {}
        }
        self.before = Some(next);
    }

    /// Whether another reading of quotes begins: in backquotes, `$'…'`, and within double quotes `$(…)` and `${…}`.
    fn nests(&self, next: char) -> bool {
        let is_dollar = self.before == Some('$');
        match self.quote {
            Some('\'') => false,
            Some(_) => next == '`' || is_dollar && matches!(next, '(' | '{'),
            None => next == '`' || is_dollar && next == '\'',
        }
    }

    fn place(&self) -> Option<Place> {
        match self.quote {
            Some('\'') => None,
            Some(_) => Some(Place::InDoubleQuotes),
            None => Some(Place::Bare),
        }
    }
}

/// What is wrong with a value for an input in such a place.
#[must_use]
pub fn fault(text: &str, place: Place) -> Option<String> {
    let is_plain = |one: char| one.is_alphanumeric() || "_./:@%+=,-".contains(one);
    let (is_taken, or, why) = match place {
        Place::Bare => (
            text.chars().all(is_plain),
            "give letters, digits and _ . / : @ % + = , - only",
            "the command uses the input without them, or is one that is not known, so a shell would split or expand",
        ),
        Place::InDoubleQuotes => (
            !text.contains(['$', '`', '"', '\\']),
            "give a text without $, `, \" and \\",
            "the command uses the input in double quotes, where a shell would expand",
        ),
    };
    (!is_taken).then(|| {
        format!("write '${{{{inputs.name}}}}' with single quotes in the command, or {or}: {why} {text:?}")
    })
}

/// The pipeline's inputs of text that a command uses outside of single quotes: strings, and addresses of data.
#[must_use]
pub fn inputs(pipeline: &MLPipeline, nested: &BTreeMap<String, Current>) -> BTreeMap<String, Place> {
    let inputs = &pipeline.spec.inputs;
    // Data is a path that Azure ML chooses, but for an address that is handed on as it is.
    let is_text = |name: &str, mode: Option<InputMode>| {
        inputs.get(name).is_some_and(|input| {
            let is_address = mode.or(input.mode) == Some(InputMode::Direct);
            input.r#type == InputType::String || is_address && !input.r#type.is_literal()
        })
    };
    // Spark sees all data by its address; what a pipeline or a component that exists makes of it is theirs.
    let mode = |step: &Step, name: &str| match Body::of(step) {
        _ if step.spark.is_some() => Some(InputMode::Direct),
        Ok(Body::Component(_) | Body::Pipeline(_) | Body::Raw(_)) => Some(InputMode::Direct),
        Ok(Body::Own(_) | Body::AutoMl(_)) | Err(_) => step.input_modes.get(name).copied(),
    };
    let bound = |step: &Step| {
        let bound =
            of_step(step, nested).into_iter().filter_map(|(name, place)| match step.inputs.get(&name)? {
                Literal::Text(text) => {
                    let from = text.strip_prefix("${{parent.inputs.")?.strip_suffix("}}")?;
                    is_text(from, mode(step, &name)).then(|| (from.to_owned(), place))
                }
                Literal::Number(_) => None,
            });
        bound.collect::<Vec<_>>()
    };
    let mut all = BTreeMap::new();
    for (name, place) in pipeline.spec.steps.iter().flat_map(bound) {
        let worst = all.entry(name).or_insert(place);
        *worst = place.max(*worst);
    }
    all
}

/// The inputs of a step by their place. The command of a component that exists is not known: there each stands without quotes. A pipeline
/// that is not known yet is not judged.
pub(super) fn of_step(step: &Step, nested: &BTreeMap<String, Current>) -> BTreeMap<String, Place> {
    let varied = step.sweep.iter().flat_map(|sweep| sweep.search_space.keys());
    let unknown = || {
        let names = step.inputs.keys().chain(step.data.keys()).chain(varied);
        names.map(|name| (name.clone(), Place::Bare)).collect()
    };
    match Body::of(step) {
        Ok(Body::Own(own)) => of_own(own).into_iter().map(|(name, place)| (name.to_owned(), place)).collect(),
        Ok(Body::Component(_) | Body::Raw(_)) => unknown(),
        Ok(Body::Pipeline(pipeline)) => pipeline
            .r#ref
            .as_ref()
            .map_or_else(unknown, |name| nested.get(name).map(told).unwrap_or_default()),
        // The tables of a search are bound, and its texts reach no command.
        Ok(Body::AutoMl(_)) | Err(_) => BTreeMap::new(),
    }
}

/// The same, as `status.current` tells it.
#[must_use]
pub fn told(current: &Current) -> BTreeMap<String, Place> {
    let double = current.double_quoted_inputs.iter().map(|name| (name.clone(), Place::InDoubleQuotes));
    double.chain(current.bare_inputs.iter().map(|name| (name.clone(), Place::Bare))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_of_beginnings_is_read_once() {
        // Its length squared would take so long that nobody waits for the end of this test.
        for end in ["", "}}"] {
            assert!(places(&("${{".repeat(700_000) + end)).is_empty());
        }
    }

    #[test]
    fn what_stands_in_single_quotes_is_told_from_what_does_not() {
        for (command, bare, double) in [
            ("x ${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("x \"${{inputs.a}}\" '--b=${{inputs.b}}'", vec![], vec!["a"]),
            ("x \"${{inputs.a}} \\\" ${{inputs.b}}\" ${{inputs.b}}", vec!["b"], vec!["a"]),
            ("x \"${{inputs.a}} in ${{outputs.model}} for $5\"", vec![], vec!["a"]),
            ("echo it\\'s ${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("echo \"it's\" ${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("x $[[--a ${{inputs.a}}]] $[[--b '${{inputs.b}}']]", vec!["a"], vec![]),
            ("x '${{inputs.a}}' ${{inputs.a}}", vec!["a"], vec![]),
            ("x \\${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("# don't\nx ${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("x a#b'c' '${{inputs.b}}'; # it's\ny '${{inputs.c}}'", vec![], vec![]),
            ("x \\# it\\'s '${{inputs.b}}'", vec![], vec![]),
            ("x ''# '${{inputs.b}}'", vec![], vec![]),
            ("x '\\' ${{inputs.a}} '${{inputs.b}}'", vec!["a"], vec![]),
            ("cat <<EOF\n'${{inputs.a}}'\nEOF", vec!["a"], vec![]),
            ("echo don't '${{inputs.a}}' ${{inputs.b}}", vec!["a", "b"], vec![]),
            ("x $(basename '${{inputs.a}}') ${HOME:-'${{inputs.b}}'}", vec![], vec![]),
            ("x \"$(grep \"don't\" a)\" ${{inputs.a}} \"$(grep \"don't\" a)\"", vec!["a"], vec![]),
            ("x \"${U:-\"don't\"}\" ${{inputs.a}} \"${U:-\"don't\"}\"", vec!["a"], vec![]),
            ("x $'it\\'s' ${{inputs.a}} $'it\\'s'", vec!["a"], vec![]),
            ("x \"`date \"+it's\"`\" '${{inputs.a}}' \"`date \"+it's\"`\"", vec!["a"], vec![]),
            ("x `date` '${{inputs.a}}'", vec!["a"], vec![]),
            ("x \"\\`\\$(\" '${{inputs.a}}'", vec![], vec![]),
            ("x \\\n#don't\ny ${{inputs.a}} \\\n#don't\nz", vec!["a"], vec![]),
            ("x a\\\n#b'c' '${{inputs.b}}'", vec![], vec![]),
            ("x 'ü${{inputs.a}}' \\", vec![], vec![]),
            ("x ${{inputs.a", vec![], vec![]),
        ] {
            let found = places(command);
            let of = |place| {
                found.iter().filter(|(_, at)| **at == place).map(|(name, _)| *name).collect::<Vec<_>>()
            };
            assert_eq!((of(Place::Bare), of(Place::InDoubleQuotes)), (bare, double), "{command}");
        }
    }

    #[test]
    fn a_value_is_one_word_where_it_stands() {
        for plain in ["night", "0.01", "a/b:c@1", "--flag=x", "東京", "2026-01-31T06:00:00"] {
            assert_eq!(fault(plain, Place::Bare), None, "{plain}");
            assert_eq!(fault(plain, Place::InDoubleQuotes), None, "{plain}");
        }
        for whole in ["a; echo x", "a b", "*", "a|b", "a>b", "~", "{a,b}", "a&", "#a"] {
            assert!(fault(whole, Place::Bare).is_some(), "{whole}");
            assert_eq!(fault(whole, Place::InDoubleQuotes), None, "{whole}");
        }
        for other in ["$(id)", "`id`", "\"a\"", "$HOME", "a\\"] {
            assert!(fault(other, Place::Bare).is_some(), "{other}");
            assert!(fault(other, Place::InDoubleQuotes).is_some(), "{other}");
        }
    }
}
