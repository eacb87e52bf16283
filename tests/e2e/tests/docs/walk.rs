//! A walk through a page: its files are written and its commands run, from top to bottom, in one folder.
//! In: a page. Out: nothing, or the first command that fails or prints something else than the page says.

use super::pages::{Block, blocks};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::place::Place;
use std::fs;
use std::time::Instant;

/// Walks through pages in one folder, as somebody who reads them one after the other.
pub fn walk(place: &Place, pages: &[&str]) -> Result<()> {
    for page in pages {
        let page = path(page);
        let began = Instant::now();
        let mut printed = String::new();
        let mut commands = 0;
        for block in blocks(&page)? {
            if let Some(name) = block.value("file") {
                let path = place.path().join(name);
                fs::create_dir_all(path.parent().context("no folder")?)?;
                fs::write(&path, &block.text).with_context(|| block.place())?;
            }
            if block.is("run") {
                printed = place.run(&block)?;
                commands += 1;
            }
            if block.is("output") {
                check(&block, &printed)?;
            }
        }
        ensure!(commands > 0, "{page}: nothing in it runs");
        println!("{page}: {commands} blocks of commands ran in {:.1} s", began.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Where a page is: in the book, but for the first that anybody reads.
pub fn path(page: &str) -> String {
    if page == "README.md" { page.to_owned() } else { format!("{}/{page}", super::pages::BOOK) }
}

/// Compares what the page shows with what was printed.
fn check(block: &Block, printed: &str) -> Result<()> {
    ensure!(
        is_like(&block.text, printed),
        "{}: the page shows\n{}\nand this was printed:\n{printed}",
        block.place(),
        block.text
    );
    Ok(())
}

/// Whether text is as shown: line by line, any blanks alike, `…` for anything, and a line of `…` for any lines.
pub fn is_like(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).filter(|line| !line.is_empty()).collect()
    };
    matches(&lines(shown), &lines(printed))
}

fn matches(shown: &[String], printed: &[String]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [any, rest @ ..] if any == "…" => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
        [first, rest @ ..] => {
            printed.first().is_some_and(|line| is_line(first, line)) && matches(rest, &printed[1..])
        }
    }
}

fn is_line(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn output_is_compared_but_for_what_is_left_out() {
    assert!(is_like("NAME  READY\ncpu   True …\n", "NAME      READY\ncpu       True    5s\n"));
    assert!(is_like("a\n…\nz\n", "a\nb\nc\nz\n"));
    assert!(!is_like("a\nz\n", "a\nb\nz\n"));
    assert!(!is_like("cpu True\n", "cpu False\n"));
    assert!(!is_like("cpu … True\n", "cpu 5s False\n"));
}
