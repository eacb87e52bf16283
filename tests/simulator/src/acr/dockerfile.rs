//! Reads a Dockerfile as far as an honest build needs it: stages, instructions, arguments, continued lines, heredocs.
//! In: text. Out: stages with their instructions, or the line that cannot be read. It executes nothing.

use std::collections::BTreeMap;

/// One instruction: its keyword in upper case, and the rest of it with continued lines joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword.
    pub keyword: String,
    /// What follows it, heredocs included.
    pub rest: String,
    /// The line it begins in, from 1.
    pub line: usize,
}

const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The delimiters of the heredocs that a line opens (`<<EOF`, `<<-"EOF"`).
fn heredocs(line: &str) -> Vec<String> {
    let rest = |part: &str| {
        let name = part.trim_start_matches('-').trim_start_matches(['"', '\'']);
        let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    };
    line.split("<<").skip(1).filter(|part| !part.starts_with('<')).filter_map(rest).collect()
}

/// The character that continues a line: `\`, or what a directive in the first lines says.
fn escape(text: &str) -> char {
    let directives = text.lines().take_while(|line| line.starts_with('#') && line.contains('='));
    let escape = directives.filter_map(|line| line.trim_start_matches('#').trim().strip_prefix("escape="));
    escape.last().and_then(|value| value.trim().chars().next()).unwrap_or('\\')
}

/// Takes a Dockerfile apart; the error is what `docker build` would say.
pub fn parse(text: &str) -> Result<Vec<Instruction>, String> {
    let escape = escape(text);
    let mut lines = text.lines().enumerate();
    let mut found: Vec<Instruction> = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let mut whole = String::new();
        let mut part = line;
        while let Some(start) = part.trim_end().strip_suffix(escape) {
            whole.push_str(start);
            let comment = |line: &&str| line.trim_start().starts_with('#') || line.trim().is_empty();
            let Some(next) = lines.by_ref().map(|(_, line)| line).find(|line| !comment(line)) else {
                part = "";
                break;
            };
            part = next;
        }
        whole.push_str(part);
        let documents = if starts(&whole, &["RUN", "COPY", "ADD"]) { heredocs(&whole) } else { Vec::new() };
        for end in documents {
            whole.push('\n');
            for (_, line) in lines.by_ref() {
                whole.push_str(line);
                whole.push('\n');
                if line.trim() == end {
                    break;
                }
            }
        }
        found.push(instruction(&whole, number + 1)?);
    }
    match found.iter().find(|one| one.keyword != "ARG") {
        Some(first) if first.keyword == "FROM" => Ok(found),
        Some(first) => {
            Err(format!("dockerfile parse error line {}: no build stage in current context", first.line))
        }
        None => Err("file with no instructions".into()),
    }
}

fn starts(line: &str, keywords: &[&str]) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    keywords.contains(&word.as_str())
}

fn instruction(whole: &str, line: usize) -> Result<Instruction, String> {
    let trimmed = whole.trim();
    let (keyword, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
    let upper = keyword.to_ascii_uppercase();
    if !KEYWORDS.contains(&upper.as_str()) {
        return Err(format!("dockerfile parse error line {line}: unknown instruction: {keyword}"));
    }
    if rest.trim().is_empty() {
        return Err(format!("dockerfile parse error line {line}: {upper} requires at least one argument"));
    }
    Ok(Instruction { keyword: upper, rest: rest.trim().to_owned(), line })
}

/// Puts the values of arguments in place of `$NAME`, `${NAME}` and `${NAME:-default}`.
pub fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let inside = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (name, default, used) = if let Some((inside, _)) = inside {
            let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
            (name, default, inside.len() + 2)
        } else {
            let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            (&after[..length], "", length)
        };
        if used == 0 {
            out.push('$');
        } else {
            out.push_str(values.get(name).map_or(default, String::as_str));
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_continue_over_comments_and_heredocs_are_part_of_their_instruction() {
        let text = "# syntax=docker/dockerfile:1\nARG V=1\nFROM r:${V} AS base\nRUN a && \\\n# why\n  b\nRUN <<EOF\nexit 3\nEOF\nCMD [\"x\"]\n";
        let found = parse(text).unwrap();
        let words: Vec<&str> = found.iter().map(|one| one.keyword.as_str()).collect();
        assert_eq!(words, ["ARG", "FROM", "RUN", "RUN", "CMD"]);
        assert_eq!(found[2].rest, "a &&   b");
        assert!(found[3].rest.contains("exit 3"));
    }

    #[test]
    fn what_is_no_dockerfile_is_refused_with_its_line() {
        assert!(parse("FROM a\nFOO b\n").unwrap_err().contains("line 2: unknown instruction: FOO"));
        assert!(parse("RUN a\n").unwrap_err().contains("no build stage"));
        assert!(parse("\n# only a comment\n").unwrap_err().contains("no instructions"));
    }

    #[test]
    fn arguments_are_put_in_place() {
        let values = BTreeMap::from([("V".to_owned(), "3".to_owned())]);
        assert_eq!(expand("r:${V}-$V.${W:-x}$", &values), "r:3-3.x$");
    }
}
