//! The pages of the book, their fenced blocks, and the code within their sentences.
//! In: Markdown. Out: blocks with what their info string says. The convention is in `docs/src/contributing.md`.

use anyhow::{Context as _, Result, bail};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The page, from the root of the repository.
    pub page: String,
    /// Its line in the page.
    pub line: usize,
    /// The first word of the info string.
    pub language: String,
    /// The words after it.
    pub marks: Vec<String>,
    /// What is in it.
    pub text: String,
}

impl Block {
    /// Whether it has a mark.
    #[must_use]
    pub fn is(&self, mark: &str) -> bool {
        self.marks.iter().any(|own| own == mark)
    }

    /// The value of a mark such as `file=run.yaml`.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.marks.iter().find_map(|mark| mark.strip_prefix(key)?.strip_prefix('='))
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// Where the book is.
pub const BOOK: &str = "docs/src";

/// Every Markdown file whose blocks are held against the convention.
///
/// # Errors
/// When it cannot be read.
pub fn all() -> Result<Vec<String>> {
    let mut pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).to_vec();
    collect(&crate::root(), Path::new(BOOK), &mut pages)?;
    pages.sort();
    Ok(pages)
}

fn collect(root: &Path, folder: &Path, pages: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path: PathBuf = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// The text of a page, as it is written.
///
/// # Errors
/// When it cannot be read.
pub fn text(page: &str) -> Result<String> {
    std::fs::read_to_string(crate::root().join(page)).with_context(|| page.to_owned())
}

/// The text of a page with the files that it includes, as mdBook does it.
fn whole(page: &str) -> Result<String> {
    let text = text(page)?;
    let mut parts = text.split("{{#include ");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (file, rest) =
            part.split_once("}}").with_context(|| format!("{page}: an include without an end"))?;
        let folder = Path::new(page).parent().context("a page is in a folder")?;
        whole += self::text(&folder.join(file).to_string_lossy())?.trim_end();
        whole += rest;
    }
    Ok(whole)
}

/// The blocks of a page.
///
/// # Errors
/// When a page cannot be read, or a block has no language.
pub fn blocks(page: &str) -> Result<Vec<Block>> {
    read(page, &whole(page)?)
}

fn read(page: &str, text: &str) -> Result<Vec<Block>> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = &event {
            let mut words = info.split_whitespace().map(str::to_owned);
            let line = text[..range.start].lines().count() + 1;
            let Some(language) = words.next() else { bail!("{page}:{line}: a block without a language") };
            let marks = words.collect();
            open = Some(Block { page: page.to_owned(), line, language, marks, text: String::new() });
        } else if let (Event::Text(part), Some(block)) = (&event, &mut open) {
            block.text += part;
        } else if event == Event::End(TagEnd::CodeBlock) {
            found.extend(open.take());
        }
    }
    Ok(found)
}

/// The blocks of every page.
///
/// # Errors
/// When a page cannot be read, or a block has no language.
pub fn every_block() -> Result<Vec<Block>> {
    let mut found = Vec::new();
    for page in all()? {
        found.extend(blocks(&page)?);
    }
    Ok(found)
}

/// A piece of code within a sentence.
#[derive(Clone, Debug)]
pub struct Code {
    /// Where it is, for messages.
    pub place: String,
    /// The code.
    pub text: String,
}

/// The pieces of code within the sentences of every page.
///
/// # Errors
/// When a page cannot be read.
pub fn every_code() -> Result<Vec<Code>> {
    let mut found = Vec::new();
    for page in all()? {
        let text = text(&page)?;
        for (event, range) in Parser::new(&text).into_offset_iter() {
            if let Event::Code(code) = event {
                let line = text[..range.start].lines().count().max(1);
                found.push(Code { place: format!("{page}:{line}"), text: code.into_string() });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_string_is_a_language_and_marks() -> Result<()> {
        let text =
            "# A\n\n- in a list:\n  ```yaml file=a.yaml fragment\n  a: 1\n  ```\n\n```sh run\necho\n```\n";
        let found = read("p.md", text)?;
        assert_eq!(
            (found[0].language.as_str(), found[0].value("file"), found[0].text.as_str()),
            ("yaml", Some("a.yaml"), "a: 1\n")
        );
        assert!(found[0].is("fragment") && found[1].is("run"));
        assert!(read("p.md", "```\nno language\n```\n").is_err());
        Ok(())
    }
}
