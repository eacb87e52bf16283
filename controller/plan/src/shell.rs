//! Command lines from scripts and arguments: every argument is one word, whatever is in it.
//!
//! In: arguments with bindings (`${{inputs.x}}`) and optional groups (`$[[…]]`). Out: a text for a POSIX shell. Azure ML puts
//! values into that text as they are, and a value may come from anybody who calls the pipeline's endpoint. So values are
//! never part of the program: they are a here-document, a line each, which the shell reads into variables.
//!
//! No value ends the here-document, since no line can be its delimiter: for bash that contains a line break (`$'\n'`); for other
//! shells, which may not know `$'…'`, it begins with a tab, and lines lose their leading tabs (`<<-`). The end of the text is the end
//! of the values, and bash says so in a warning. A value with a line break leaves a line over, and then the program is not
//! started. Were the line breaks of the text lost on its way, then the values would be in the comment that ends the first
//! line. What follows the first line is never a command: there the shell ends, or becomes the program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The delimiter of the here-document, which no line of it can be.
const DELIMITER: &str = r"'	end'$'\n'";
/// The variable that the last line is read into: none that a program would have.
const END: &str = "azureml_operator_last";
/// The last line of the values.
const LAST: &str = "end";
/// What a step says whose values are not a line each.
const REFUSAL: &str =
    "azureml-operator: a value has a line break, so nothing was started. Pass the text in a file";

/// A program and its arguments as a text for a shell.
#[must_use]
pub fn line(program: &[&str], args: &[String]) -> String {
    let arguments: Vec<Argument> = args.iter().map(|arg| Argument::new(arg)).collect();
    let ports = ports(&arguments);
    let words = program.iter().map(|word| quoted(word)).chain(arguments.iter().map(Argument::text));
    let command = words.collect::<Vec<_>>().join(" ");
    if ports.is_empty() {
        return command;
    }
    let (mut reads, mut values) = (String::new(), String::new());
    for (port, is_optional) in &ports {
        let (before, after) = if *is_optional { ("$[[", "]]") } else { ("", "") };
        let _ = write!(reads, "IFS= read -r {} && ", variable(port));
        let _ = writeln!(values, "{before}={port}{after}");
    }
    format!(
        "{{ {reads}IFS= read -r {END}; [ \"${END}\" = {LAST} ] && ! IFS= read -r {END} && [ -z \"${END}\" ]; }} <<-{DELIMITER} || \
         {{ echo '{REFUSAL}' >&2; exit 64; }}; exec {command} # values:\n{values}{LAST}"
    )
}

/// Whether an argument has the signs of an optional group, and is none as a whole.
#[must_use]
pub fn has_part_of_group(arg: &str) -> bool {
    let whole = arg.strip_prefix("$[[").and_then(|rest| rest.strip_suffix("]]"));
    whole.unwrap_or(arg).contains("$[[")
}

/// A part of a word: text, or the binding whose value stands in its place.
enum Part<'a> {
    Text(&'a str),
    Binding(&'a str),
}

/// One argument: a word, or the words of an optional group.
struct Argument<'a> {
    words: Vec<Vec<Part<'a>>>,
    is_group: bool,
}

impl<'a> Argument<'a> {
    fn new(arg: &'a str) -> Self {
        match arg.strip_prefix("$[[").and_then(|rest| rest.strip_suffix("]]")) {
            Some(group) => Self { words: group.split_whitespace().map(parts).collect(), is_group: true },
            None => Self { words: vec![parts(arg)], is_group: false },
        }
    }

    fn bindings(&self) -> impl Iterator<Item = &'a str> {
        self.words.iter().flatten().filter_map(|part| match part {
            Part::Binding(port) => Some(*port),
            Part::Text(_) => None,
        })
    }

    /// The argument in the command: a group is there when each of its values is.
    fn text(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| word_of(word)).collect();
        let words = words.join(" ");
        if !self.is_group {
            return words;
        }
        self.bindings().fold(words, |words, port| format!("${{{}:+{words}}}", variable(port)))
    }
}

/// The bindings of all arguments, each with whether its value may be missing: whether it stands in groups only.
fn ports<'a>(arguments: &[Argument<'a>]) -> BTreeMap<&'a str, bool> {
    let mut ports = BTreeMap::new();
    for argument in arguments {
        for port in argument.bindings() {
            *ports.entry(port).or_insert(true) &= argument.is_group && port.starts_with("${{inputs.");
        }
    }
    ports
}

/// A word in its parts.
fn parts(word: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), word);
    while let Some(start) = rest.find("${{") {
        let Some(length) = rest[start..].find("}}").map(|end| end + 2) else { break };
        parts.push(Part::Text(&rest[..start]));
        parts.push(Part::Binding(&rest[start..start + length]));
        rest = &rest[start + length..];
    }
    parts.push(Part::Text(rest));
    parts
}

/// A word of the command: its text in single quotes, its values from variables in double quotes.
fn word_of(parts: &[Part<'_>]) -> String {
    let is_empty = |part: &Part<'_>| matches!(part, Part::Text(""));
    if parts.iter().all(is_empty) {
        return quoted("");
    }
    parts
        .iter()
        .filter(|part| !is_empty(part))
        .map(|part| match part {
            Part::Text(text) => quoted(text),
            Part::Binding(port) => format!("\"${{{}#=}}\"", variable(port)),
        })
        .collect()
}

/// The variable that holds the value of a binding: `inputs_raw` for `${{inputs.raw}}`.
fn variable(binding: &str) -> String {
    let name = binding.trim_start_matches("${{").trim_end_matches("}}").trim();
    name.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect()
}

/// A word for the shell, quoted where it must be.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests;
