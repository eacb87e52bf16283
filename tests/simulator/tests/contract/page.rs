//! The page of what real Azure answers names tests that exist, and has each row once.

use std::path::Path;

use regex::Regex;

/// The rows that the recordings led to; the numbers stay, whatever is written about them.
const ROWS: std::ops::RangeInclusive<u32> = 1..=22;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn each_row_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/src/reference/recorded.md")).unwrap();
    let named = Regex::new(r"`([\w/.-]+\.(?:rs|py)): (\w+)`").unwrap();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")).collect();
    for row in &rows {
        let found: Vec<_> = named.captures_iter(row).collect();
        assert!(!found.is_empty(), "no test holds this row: {row}");
        for test in found {
            let file = root().join(&test[1]);
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", &test[1]));
            let start = if file.extension().is_some_and(|end| end == "py") { "def " } else { "fn " };
            assert!(text.contains(&format!("{start}{}(", &test[2])), "{} has no test {}", &test[1], &test[2]);
        }
    }
    for row in ROWS {
        let count = rows.iter().filter(|line| line.starts_with(&format!("| {row} |"))).count();
        assert_eq!(count, 1, "row {row}");
    }
}
