//! The index of decisions: a list of all, and then each as it is written in `docs/adr`.
//! In: the folder. Out: Markdown with includes, so that the book never holds a copy.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

pub fn page(folder: &Path) -> anyhow::Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"));
    names.sort();
    let mut page = "# Decisions\n\nWhy things are as they are, each with what else was looked at. \
                    They are kept in `docs/adr`.\n\n"
        .to_owned();
    let mut bodies = String::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name))?;
        let title = text.lines().find_map(|line| line.strip_prefix("# "));
        let title = title.with_context(|| format!("{name} has no title"))?;
        writeln!(page, "- [{title}](#{})", anchor(title))?;
        write!(bodies, "\n{{{{#include ../../adr/{name}}}}}\n")?;
    }
    Ok(page + &bodies)
}

/// The id that mdBook gives a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_what_mdbook_makes_of_a_heading() {
        assert_eq!(anchor("8. A bearer token, and `nobody` else"), "8-a-bearer-token-and-nobody-else");
    }
}
