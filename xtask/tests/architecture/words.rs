//! The cheap rules of plain English: short sentences in the documentation, and no words that were replaced once.

use super::files;
use anyhow::Result;
use regex::Regex;

/// The most words of a sentence.
const WORDS: usize = 30;
/// Sentences of decisions that are longer. This number may only fall.
const LONG_IN_DECISIONS: usize = 20;

/// Sentences without code, links and tables' borders, each with its number of words.
fn sentences(text: &str) -> Result<Vec<(usize, String)>> {
    let mut text = text.to_owned();
    for (pattern, instead) in [
        (r"(?s)```.*?```", "\n\n"),
        (r"(?s)<!--.*?-->", ""),
        (r"`[^`]*`", "code"),
        (r"\[([^\]]*)\]\([^)]*\)", "$1"),
        (r"\n(- |\* |> |#|\d+\. )", "\n\n$1"),
        (r"\|", "\n\n"),
        (r"([.!?:;])\s", "$1\n\n"),
    ] {
        text = Regex::new(pattern)?.replace_all(&text, instead).into_owned();
    }
    let parts = Regex::new(r"\n\s*\n")?;
    let count = |part: &str| (part.split_whitespace().count(), part.trim().replace('\n', " "));
    Ok(parts.split(&text).map(count).collect())
}

fn long(is_it: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, text) in files(&[".md"])?.into_iter().filter(|(path, _)| is_it(path)) {
        for (count, sentence) in sentences(&text)?.into_iter().filter(|(count, _)| *count > WORDS) {
            found.push(format!("{path}: {count} words: {sentence}"));
        }
    }
    Ok(found)
}

#[test]
fn sentences_of_the_documentation_are_short() -> Result<()> {
    let is_generated = |path: &str| path.contains("/kinds/") || path.contains("/decisions/");
    let is_book = |path: &str| {
        path.starts_with("docs/src/") && !is_generated(path)
            || ["README.md", "CONTRIBUTING.md"].contains(&path)
    };
    assert!(files(&[".md"])?.iter().filter(|(path, _)| is_book(path)).count() > 30, "the book is not found");
    let book = long(is_book)?;
    assert!(book.is_empty(), "make two of each:\n{}", book.join("\n"));
    let decisions = long(|path| path.starts_with("docs/adr/"))?;
    assert!(decisions.len() <= LONG_IN_DECISIONS, "make two of the new ones:\n{}", decisions.join("\n"));
    assert!(decisions.len() == LONG_IN_DECISIONS, "lower LONG_IN_DECISIONS to {}", decisions.len());
    Ok(())
}

/// Words and phrases that are hard to read, in two parts, so that this file does not say them itself; and what to write.
const HARD: [(&str, &str, &str); 6] = [
    ("who", "ever", "name the person or the part: the caller, the leader, a client"),
    ("In force when", " unset", "Default: …"),
    ("it goes", " when", "deletion continues once they …"),
    ("name it", " no more", "no longer reference it"),
    ("taking", " leave", "deletion"),
    ("believed", " in", "say what may still be true"),
];

/// A text in one line, without the signs of comments, so that a line break hides no phrase.
fn spoken(text: &str) -> String {
    let signs = ["//", "///", "//!", "#"];
    let words: Vec<&str> = text.split_whitespace().filter(|word| !signs.contains(word)).collect();
    words.join(" ")
}

/// The same in lower case.
fn one_line(text: &str) -> String {
    spoken(text).to_lowercase()
}

#[test]
fn words_that_were_replaced_do_not_come_back() -> Result<()> {
    let texts = files(&[".rs", ".md", ".yaml", ".toml", ".tpl", ".txt", ".py"])?;
    assert!(texts.len() > 300, "the files are not found");
    let phrases = HARD.map(|(first, second, instead)| (format!("{first}{second}").to_lowercase(), instead));
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for (path, text) in texts {
        let text = one_line(&text);
        for (phrase, instead) in &phrases {
            let is_whole = |(place, _): (usize, &str)| {
                !text[..place].ends_with(is_letter) && !text[place + phrase.len()..].starts_with(is_letter)
            };
            if text.match_indices(phrase.as_str()).any(is_whole) {
                found.push(format!("{path}: {phrase:?}: write {instead}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// Sentences and clauses whose subject is a relative clause without a head, as in "who has X may Y".
#[test]
fn no_sentence_begins_with_who() -> Result<()> {
    // In parts, so that this file does not say it itself. A small letter follows, so that no type is meant.
    let headless = Regex::new(r"\bW(?:ho) [a-z]|; w(?:ho) [a-z]")?;
    let mut found = Vec::new();
    for (path, text) in files(&[".rs", ".md", ".yaml", ".toml", ".tpl", ".txt", ".py"])? {
        let text = spoken(&text);
        found.extend(headless.find_iter(&text).map(|hit| {
            let rest: String = text[hit.start()..].chars().take(60).collect();
            format!("{path}: {rest:?}: name the person or the part: a user who …, the client that …")
        }));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn a_line_break_and_a_comment_hide_no_phrase() {
    assert_eq!(one_line("/// It is\n    /// one\n# line"), "it is one line");
}
