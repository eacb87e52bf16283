//! What may follow the words that somebody types after `kubectl azureml`.
//!
//! In: the definition of all arguments, the words so far, of which the last is not finished. Out: words, or which objects or files are
//! meant. Pure; the cluster is asked elsewhere.

use crate::objects::resources;
use clap::{Arg, Command};

/// What may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One of these words.
    Words(Vec<String>),
    /// An object of these kinds, as kubectl takes them.
    Objects(String),
    /// A file.
    File,
}

/// What may follow the words.
#[must_use]
pub fn wanted(program: &Command, words: &[String]) -> Wanted {
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let Some(verb) = before.first().and_then(|name| program.find_subcommand(name)) else {
        let verbs = program.get_subcommands().filter(|verb| !verb.is_hide_set());
        return Wanted::Words(verbs.map(|verb| verb.get_name().to_owned()).collect());
    };
    if let Some(option) =
        before.last().and_then(|word| option(verb, word)).filter(|option| takes_value(option))
    {
        return value(option);
    }
    if last.starts_with('-') {
        let shown = verb.get_arguments().filter(|option| !option.is_hide_set());
        let all = shown.filter_map(Arg::get_long).map(|long| format!("--{long}"));
        return Wanted::Words(all.chain(["--help".to_owned()]).collect());
    }
    verb.get_positionals().next().map_or(Wanted::Words(Vec::new()), value)
}

/// The option of a verb that a word names.
fn option<'a>(verb: &'a Command, word: &str) -> Option<&'a Arg> {
    let is_it = |option: &&Arg| {
        option.get_long().is_some_and(|long| word == format!("--{long}"))
            || option.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    verb.get_arguments().find(is_it)
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// What an argument takes: its words, or what its name of the value says.
fn value(argument: &Arg) -> Wanted {
    let words: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|word| !word.is_hide_set())
        .map(|word| word.get_name().to_owned())
        .collect();
    if !words.is_empty() {
        return Wanted::Words(words);
    }
    let named = argument.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
    let of = |plural: &str| Wanted::Objects(format!("{plural}.{}", azureml_crds::GROUP));
    match named.unwrap_or_default() {
        "KIND/NAME" => Wanted::Objects(resources()),
        "PIPELINE" => of("mlpipelines"),
        "RUN" => of("mlruns"),
        name if name.contains("FILE") || name.contains("DIR") => Wanted::File,
        _ => Wanted::Words(Vec::new()),
    }
}

/// The value that an option has in words, written as clap and kubectl take it: `--name VALUE`, `--name=VALUE`, and by its letter `-n VALUE`,
/// `-nVALUE` or `-n=VALUE`.
#[must_use]
pub fn given(words: &[String], long: &str, short: Option<char>) -> Option<String> {
    let names = |word: &str| {
        word.strip_prefix("--") == Some(long) || short.is_some_and(|one| word == format!("-{one}"))
    };
    let joined = |word: &str| {
        let of_long = word.strip_prefix("--").and_then(|rest| rest.strip_prefix(long)?.strip_prefix('='));
        let of_short = || {
            let value = word.strip_prefix('-')?.strip_prefix(short?)?;
            Some(value.strip_prefix('=').unwrap_or(value)).filter(|value| !value.is_empty())
        };
        of_long.or_else(of_short).map(str::to_owned)
    };
    let value = |(place, word): (usize, &String)| {
        if names(word) { words.get(place + 1).cloned() } else { joined(word) }
    };
    words.iter().enumerate().find_map(value)
}

/// A name as kubectl prints it, in the form that is typed: `mlrun/a` for `mlrun.azureml.dev/a`, and `a` alone where one kind is meant.
#[must_use]
pub fn short(line: &str, kinds: &str) -> String {
    let Some((kind, name)) = line.split_once('/') else { return line.to_owned() };
    let kind = kind.split('.').next().unwrap_or_default();
    if kinds.contains(',') { format!("{kind}/{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_however_it_is_written() {
        let found = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            given(&words, "namespace", Some('n'))
        };
        for text in ["--namespace a", "--namespace=a", "-n a", "-na", "-n=a"] {
            assert_eq!(found(&format!("why {text} mlrun/")).as_deref(), Some("a"), "{text}");
        }
        for text in ["why mlrun/", "--namespaces=a", "--name=a", "namespace=a", "-A", "--no-browser x"] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(given(&["--context=c".to_owned()], "context", None).as_deref(), Some("c"));
    }

    #[test]
    fn a_name_is_as_short_as_it_can_be() {
        assert_eq!(short("mlrun.azureml.dev/a", "mlruns.azureml.dev"), "a");
        assert_eq!(short("mlrun.azureml.dev/a", "mlruns.azureml.dev,mldata.azureml.dev"), "mlrun/a");
    }
}
