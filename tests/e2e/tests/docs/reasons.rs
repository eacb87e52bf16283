//! The runbook has the chapters and entries of the table of reasons, each with the meaning and the turn that the table has, and the
//! table has no reason that nothing gives.

use anyhow::{Context as _, Result, ensure};
use azureml_client::refusal;
use azureml_plan::reasons::{ALL, Reason, Turn};
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;

/// Codes of Azure that are in the table because they are frequent. They are passed on, and stand nowhere else in the code.
const PASSED_ON: [Reason; 3] =
    [Reason::LINKED_AUTHORIZATION_FAILED, Reason::RESIZING, Reason::RESOURCE_NOT_FOUND];

/// An entry of the runbook: its chapter, its name, its text.
struct Entry<'a> {
    chapter: &'a str,
    name: &'a str,
    text: &'a str,
}

fn entries(page: &str) -> Vec<Entry<'_>> {
    let chapters = page.split("\n## ").skip(1);
    let of_one = |chapter| {
        let (heading, rest): (&str, &str) = str::split_once(chapter, '\n').unwrap_or((chapter, ""));
        rest.split("\n### `").skip(1).map(move |entry| {
            let (name, text) = entry.split_once("`\n").unwrap_or((entry, ""));
            Entry { chapter: heading, name, text }
        })
    };
    chapters.flat_map(of_one).collect()
}

/// The paragraph of an entry that begins with a word in bold, in one line.
fn part(text: &str, word: &str) -> Option<String> {
    let start = format!("**{word}** ");
    let paragraph = text.split("\n\n").find_map(|part| part.trim_start().strip_prefix(&start))?;
    Some(paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whose turn it is, as the runbook writes it.
fn whose(turn: Turn) -> &'static str {
    match turn {
        Turn::Nobody => "Nobody.",
        Turn::User => "The author of the manifest.",
        Turn::Platform => "The platform team.",
        Turn::Azure => "Azure.",
    }
}

#[test]
fn the_runbook_has_the_entries_of_the_table_and_says_the_same() -> Result<()> {
    let page = super::pages::text("docs/src/operations/runbook.md")?;
    let told: Vec<(&str, &str)> = entries(&page).iter().map(|entry| (entry.chapter, entry.name)).collect();
    let of_table = ALL
        .iter()
        .flat_map(|chapter| chapter.reasons.iter().map(move |reason| (chapter.heading, reason.word())));
    let of_table: Vec<(&str, &str)> = of_table.collect();
    assert_eq!(told, of_table, "docs/src/operations/runbook.md and controller/plan/src/reasons differ");
    for entry in entries(&page) {
        let Entry { name, text, .. } = entry;
        let reason = azureml_plan::reasons::find(name).with_context(|| name.to_owned())?;
        let means = part(text, "Means").with_context(|| format!("{name} has no **Means**"))?;
        assert_eq!(means, reason.means(), "{name}: **Means** and controller/plan/src/reasons differ");
        let turn = part(text, "Turn").with_context(|| format!("{name} has no **Turn**"))?;
        assert_eq!(turn, whose(reason.turn()), "{name}: **Turn** and controller/plan/src/reasons differ");
        for word in ["Look", "Do"] {
            ensure!(part(text, word).is_some(), "the entry {name} of the runbook has no **{word}**");
        }
    }
    Ok(())
}

/// The constants of reasons that code names outside of the tables.
fn named(path: &Path, constant: &Regex, found: &mut BTreeSet<String>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            named(&entry?.path(), constant, found)?;
        }
        return Ok(());
    }
    if path.extension().is_none_or(|end| end != "rs") || path.ends_with("tests.rs") {
        return Ok(());
    }
    let text = std::fs::read_to_string(path)?;
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    found.extend(constant.captures_iter(code).map(|capture| capture[1].replace('_', "").to_lowercase()));
    Ok(())
}

#[test]
fn every_reason_of_the_table_is_given_by_something() -> Result<()> {
    let constant = Regex::new(r"\bReason::([A-Z_]+)\b")?;
    let mut given = BTreeSet::new();
    for place in ["controller/plan/src", "controller/observe/src", "controller/access/src", "controller/src"]
    {
        named(&azureml_e2e::root().join(place), &constant, &mut given)?;
    }
    ensure!(given.len() > 60, "the code is not found");
    let of_client = (400..600).chain([302]).map(refusal::word).chain([refusal::FOREIGN]);
    given.extend(of_client.chain(PASSED_ON.map(Reason::word)).map(str::to_lowercase));
    let all = ALL.iter().flat_map(|chapter| chapter.reasons);
    let idle: Vec<&Reason> = all.filter(|reason| !given.contains(&reason.word().to_lowercase())).collect();
    assert!(idle.is_empty(), "nothing gives these reasons: {idle:?}");
    Ok(())
}
