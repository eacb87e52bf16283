//! The shape of pages for users: a how-to begins with what it needs and ends with how to see that it worked, and a page fits in five
//! minutes.

use super::files;
use anyhow::Result;
use regex::Regex;

/// What a reader reads in five minutes, at 250 words a minute. Code is looked at and not read.
const WORDS: usize = 1250;
/// Other pages that somebody reads from top to bottom.
const READ: [&str; 9] = [
    "docs/src/fit.md",
    "docs/src/introduction.md",
    "docs/src/operations/audit.md",
    "docs/src/operations/cost.md",
    "docs/src/operations/install-gitops.md",
    "docs/src/operations/install.md",
    "docs/src/quickstart.md",
    "docs/src/state.md",
    "docs/src/tutorial.md",
];
const END: &str = "How to see that it worked";

/// The pages with their text outside of code.
fn pages() -> Result<Vec<(String, String)>> {
    let code = Regex::new(r"(?s)```.*?\n\s*```")?;
    let is_read = |path: &str| path.starts_with("docs/src/how-to/") || READ.contains(&path);
    let pages = files(&[".md"])?.into_iter().filter(|(path, _)| is_read(path));
    Ok(pages.map(|(path, text)| (path, code.replace_all(&text, "").into_owned())).collect())
}

#[test]
fn a_how_to_begins_with_what_it_needs_and_ends_with_how_to_see_that_it_worked() -> Result<()> {
    let begins = Regex::new(r"(?m)^(?:## )?You need")?;
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, text) in pages()?.into_iter().filter(|(path, _)| path.contains("/how-to/")) {
        count += 1;
        let first = text.find("\n## ").unwrap_or(text.len());
        let needs = begins.find(&text).map(|found| found.start());
        if needs.is_none_or(|needs| needs > first + 1) {
            wrong.push(format!("{path}: write what a reader needs (\"You need\") before the first section"));
        }
        let (_, end) = text.rsplit_once("\n## ").unwrap_or_default();
        if end.lines().next() != Some(END) || end.lines().filter(|line| !line.is_empty()).count() < 2 {
            wrong.push(format!("{path}: end it with the section \"{END}\""));
        }
    }
    assert!(count > 25, "the pages are not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_page_for_users_fits_in_five_minutes() -> Result<()> {
    let long = pages()?.into_iter().filter_map(|(path, text)| {
        let words = text.split_whitespace().count();
        (words > WORDS).then(|| format!("{path}: {words} words; make two pages of it, {WORDS} are the most"))
    });
    let long: Vec<String> = long.collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    Ok(())
}
