//! Parser directives of a Dockerfile, and how its lines are read.
//!
//! In: text. Out: the value of a directive. Reads nothing below them.

/// The character that joins lines: that of the parser directive `escape`.
pub(super) fn escape(text: &str) -> char {
    directive(text, "escape").and_then(|value| value.chars().next()).unwrap_or('\\')
}

/// The value of a parser directive. They stand above everything else, and end at the first line that is none.
#[must_use]
pub fn directive(text: &str, name: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}');
    let read = |line: &str| {
        let (name, value) = line.trim_matches(BLANKS).strip_prefix('#')?.split_once('=')?;
        let name = name.trim_matches(BLANKS).to_ascii_lowercase();
        DIRECTIVES.contains(&name.as_str()).then(|| (name, value.trim_matches(BLANKS).to_owned()))
    };
    text.lines().map_while(read).find(|(found, _)| found == name).map(|(_, value)| value)
}

/// The directives that builders know.
const DIRECTIVES: [&str; 3] = ["syntax", "escape", "check"];
/// What builders take for blanks in a line.
pub(super) const BLANKS: [char; 3] = [' ', '\t', '\r'];
