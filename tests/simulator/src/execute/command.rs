//! Command lines of components: bindings and optional parts replaced, and the programs that a line starts.
//! In: text. Out: text. Source: learn.microsoft.com, "CLI (v2) command component YAML schema".

use std::collections::BTreeMap;

/// Puts values in place of `${{inputs.x}}` and `${{outputs.y}}`, and drops every `$[[…]]` that needs what is not given.
pub fn fill(line: &str, inputs: &BTreeMap<String, String>, outputs: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("$[[") {
        out.push_str(before);
        let (optional, tail) = after.split_once("]]").unwrap_or((after, ""));
        if missing(optional, inputs).is_none() {
            out.push_str(optional);
        }
        rest = tail;
    }
    out.push_str(rest);
    replace(&out, |kind, name| {
        let values = if kind == "outputs" { outputs } else { inputs };
        values.get(name).cloned()
    })
}

/// The first input that a text names and that has no value.
fn missing(text: &str, inputs: &BTreeMap<String, String>) -> Option<String> {
    let mut found = None;
    replace(text, |kind, name| {
        if kind == "inputs" && !inputs.contains_key(name) {
            found.get_or_insert_with(|| name.to_owned());
        }
        None
    });
    found
}

/// Replaces each `${{kind.name}}` by its value; one without a value becomes nothing.
fn replace(text: &str, mut value: impl FnMut(&str, &str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        out.push_str(before);
        let (inside, tail) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((kind, name)) = inside.trim().split_once('.') {
            out.push_str(&value(kind, name).unwrap_or_default());
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Words that begin a simple command and are no programs: bash's reserved words and builtins.
const SHELL: [&str; 69] = [
    "!", "(", ")", "((", ".", ":", "[", "[[", "alias", "bg", "bind", "break", "builtin", "case", "cd",
    "command", "continue", "declare", "do", "done", "echo", "elif", "else", "enable", "esac", "eval", "exec",
    "exit", "export", "false", "fg", "fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "kill",
    "let", "local", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "select",
    "set", "shift", "shopt", "source", "test", "then", "time", "trap", "true", "type", "ulimit", "umask",
    "unset", "until", "wait", "while", "{", "}",
];

/// The programs that a line starts: the first word of each simple command, but for the shell's own. A here-document is text.
pub fn programs(line: &str) -> Vec<String> {
    let end = line.find("<<").and_then(|begin| Some(begin + line[begin..].find('\n')?));
    let separated = line[..end.unwrap_or(line.len())]
        .replace("&&", "\n")
        .replace("||", "\n")
        .replace(" & ", "\n")
        .replace([';', '|'], "\n");
    let first = |command: &str| {
        let words = command.split_whitespace().skip_while(|word| {
            let assignment = word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            });
            assignment || matches!(*word, "then" | "do" | "else" | "exec" | "time" | "!" | "{" | "(")
        });
        words.map(str::to_owned).next()
    };
    let plain = |word: &String| word.chars().all(|c| c.is_ascii_alphanumeric() || "_.-+".contains(c));
    let known = |word: &String| SHELL.contains(&word.as_str());
    separated.lines().filter_map(first).filter(|word| plain(word) && !known(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn bindings_become_values_and_optional_parts_go_with_their_inputs() {
        let line = "Rscript a.R --in ${{inputs.raw}} $[[--mode ${{inputs.mode}}]] $[[--n ${{inputs.n}}]] --out ${{ outputs.o }}";
        let filled = fill(line, &map(&[("raw", "/in"), ("n", "3")]), &map(&[("o", "/out")]));
        assert_eq!(filled, "Rscript a.R --in /in  --n 3 --out /out");
    }

    #[test]
    fn the_programs_of_a_line_are_found_behind_assignments_and_between_commands() {
        let line = "set -e; A=1 Rscript a.R | tee log && cd x && python b.py || ./own.sh";
        assert_eq!(programs(line), ["Rscript", "tee", "python"]);
        assert!(programs("if [ -f x ]; then echo hi; fi").is_empty());
        assert_eq!(programs("sleep 1 & echo $! > pid; wait"), ["sleep"]);
        assert_eq!(programs("{ read -r a; } <<'end'; exec python a.py\n; other\nend"), ["python"]);
    }
}
