//! What a Dockerfile takes from its context and from its stages: what is not there is refused before a build is spent.
//!
//! In: the text, the context where it is known. Out: the line that cannot be built. What has an argument in it is the build's to tell.

use super::context::Context;
use super::lines::{Line, lines};
use serde_json::from_str;

/// A line that cannot be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The first line that takes what is not there, up to the end of a stage; of all stages where none is named. Builders differ in how some
/// lines are read: a fault is one in every reading.
pub fn fault(text: &str, target: Option<&str>, context: Option<&Context>) -> Option<Fault> {
    let found = of(&lines(text, true), target, context)?;
    of(&lines(text, false), target, context).map(|_| found)
}

fn of(lines: &[Line], target: Option<&str>, context: Option<&Context>) -> Option<Fault> {
    let names: Vec<String> = lines.iter().filter_map(|line| stage(&line.text)).collect();
    let mut begun = 0;
    for line in lines {
        if stage(&line.text).is_some() {
            let is_past = |target: &str| begun > 0 && names.get(begun - 1).is_some_and(|name| name == target);
            if target.is_some_and(is_past) {
                return None;
            }
            begun += 1;
        }
        let stages = Stages { names: &names, begun };
        if let Some(message) = of_line(&line.text, &stages, context) {
            return Some(Fault { line: line.number, message });
        }
    }
    None
}

/// The name of the stage that a line begins, empty where it has none; nothing where the line begins none.
fn stage(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.first().filter(|word| word.eq_ignore_ascii_case("FROM"))?;
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("AS"));
    Some(at.and_then(|at| words.get(at + 1)).map(|name| name.to_ascii_lowercase()).unwrap_or_default())
}

/// The stages of a Dockerfile, as a line sees them.
struct Stages<'a> {
    names: &'a [String],
    /// How many have begun; the last of them is the one of the line.
    begun: usize,
}

impl Stages<'_> {
    /// Why a line cannot take from what it names.
    fn fault(&self, name: &str, may_be_number: bool) -> Option<String> {
        let own = self.begun.saturating_sub(1);
        if may_be_number && let Ok(number) = name.parse::<usize>() {
            let message =
                format!("there is no stage {number} above this line; name one of the {own} stages above");
            return (number >= own).then_some(message);
        }
        let name = name.to_ascii_lowercase();
        let place = |all: &[String]| all.contains(&name);
        let (above, below) = self.names.split_at_checked(own)?;
        let is_below = place(below.get(1..).unwrap_or_default()) && !place(above);
        let message = format!("the stage {name} begins below this line; move it above");
        (is_below && below.first() != Some(&name)).then_some(message)
    }
}

fn of_line(line: &str, stages: &Stages<'_>, context: Option<&Context>) -> Option<String> {
    let mut words = line.split_whitespace();
    let keyword = words.next()?.to_ascii_uppercase();
    let flags: Vec<&str> = words.clone().take_while(|word| word.starts_with("--")).collect();
    let words: Vec<&str> = words.skip(flags.len()).collect();
    match keyword.as_str() {
        "FROM" => stages.fault(words.first().filter(|word| is_plain(word))?, false),
        "COPY" | "ADD" => {
            let from = flags.iter().find_map(|flag| flag.strip_prefix("--from="));
            if let Some(from) = from {
                return is_plain(from).then(|| stages.fault(from, true)).flatten();
            }
            let context = context?;
            let missing = taken(&words)?.into_iter().find(|source| !is_there(&keyword, source, context))?;
            Some(format!(
                "the context has no {missing}, which {keyword} takes; add it to the context, correct its name, or let .dockerignore leave it in"
            ))
        }
        _ => None,
    }
}

/// What an instruction takes: all words but the last, which is the place.
fn taken(words: &[&str]) -> Option<Vec<String>> {
    let mut all: Vec<String> = if words.first()?.starts_with('[') {
        from_str(&words.join(" ")).ok()?
    } else {
        words.iter().map(|word| (*word).to_owned()).collect()
    };
    all.pop()?;
    Some(all)
}

fn is_there(keyword: &str, source: &str, context: &Context) -> bool {
    let is_remote = keyword == "ADD" && (source.contains("://") || source.starts_with("git@"));
    is_remote || source.starts_with("<<") || !is_plain(source) || context.has(source)
}

/// Whether a word means what it says: without arguments, quotes and escapes.
fn is_plain(word: &str) -> bool {
    !word.contains(['$', '"', '\'', '\\', '`'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, target: Option<&str>) -> Option<(usize, String)> {
        let context = Context::of(["requirements.txt", "src/a.py"].into_iter(), None);
        fault(text, target, Some(&context)).map(|fault| (fault.line, fault.message))
    }

    #[test]
    fn what_is_there_can_be_taken() {
        for text in [
            "FROM a\nCOPY . /app\nCOPY requirements.txt src/*.py /app/\nADD --chown=1:1 [\"src\", \"/app\"]\n",
            "FROM a AS one\nFROM one AS two\nCOPY --from=one /x /y\nCOPY --from=0 /x /y\nCOPY --from=python:3 /x /y\n",
            "FROM a\nADD https://example.com/x git@example.com:a/b /x/\nCOPY $FILE '/a b' /x/\n",
            "FROM a\nRUN <<EOF\nCOPY nothing /x\nEOF\nCOPY <<A /x\nA\nONBUILD COPY later /x\n",
            "FROM python AS python\n",
            "FROM a\nRUN x \\\\\nCOPY nothing /x\n",
        ] {
            assert_eq!(found(text, None), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_its_line() {
        for (text, line, words) in [
            ("FROM a\n\nCOPY requirements.txt \\\n  setup.py /x/\n", 3, "no setup.py, which COPY takes"),
            ("FROM a\nadd [\"lib\", \"/x\"]\n", 2, "no lib, which ADD takes"),
            ("FROM a\nCOPY --from=0 /x /y\n", 2, "no stage 0 above"),
            ("FROM a AS one\nCOPY --from=Two /x /y\nFROM b AS two\n", 2, "the stage two begins below"),
            ("FROM two\nFROM b AS two\n", 1, "the stage two begins below"),
        ] {
            let (at, message) = found(text, None).unwrap();
            assert!(at == line && message.contains(words), "{text}: {at} {message}");
        }
    }

    #[test]
    fn stages_after_the_target_are_not_built() {
        let text = "FROM a AS one\nCOPY src /x\nFROM b AS two\nCOPY lib /x\n";
        assert_eq!(found(text, Some("one")), None);
        assert_eq!(found(text, Some("two")).map(|(line, _)| line), Some(4));
    }
}
