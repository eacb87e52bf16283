//! The page of assumptions in the docs, made of the same data as the probes. In: the data. Out: Markdown.

use crate::assumptions;
use std::fmt::Write as _;

/// Where the page is, below the root of the repository.
pub const PLACE: &str = "docs/src/reference/assumptions.md";

const TEXT: &str = include_str!("page.md");

/// The page.
#[must_use]
pub fn page() -> String {
    let (mut table, mut details) = (String::new(), String::new());
    table.push_str("| | question | what we assume | what changes our behaviour |\n|---|---|---|---|\n");
    for (number, one) in (1..).zip(assumptions::all()) {
        let _ = writeln!(
            table,
            "| [{number}](#{}) | {} | {} | {} |",
            one.id, one.question, one.assumed, one.switch
        );
        let _ = write!(
            details,
            "\n### {}\n\n{}\n\n- We assume: {}\n- Why: {}.\n- What depends on it: {}\n- What changes our behaviour: {}.\n- How `cargo xtask \
             live` answers it: {}.\n",
            one.id, one.question, one.assumed, one.source, one.depends, one.switch, one.method
        );
    }
    TEXT.replace("<!-- table -->\n", &table).replace("<!-- details -->\n", details.trim_start())
}
