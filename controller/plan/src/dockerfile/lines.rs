//! The instructions of a Dockerfile with the lines in which they begin.
//!
//! In: text. Out: each instruction on one line, without what stands in here-documents. Source: Docker's "Dockerfile reference".

use super::directive::{BLANKS, escape};

/// An instruction.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// The line in which it begins, from 1.
    pub number: usize,
    /// Its words, with the lines that go on joined.
    pub text: String,
}

/// The instructions. Some builders end a line after two escapes (`odd_only`), some do not.
#[must_use]
pub fn lines(text: &str, odd_only: bool) -> Vec<Line> {
    let escape = escape(text);
    let (mut all, mut open, mut ends) = (Vec::new(), None::<Line>, Vec::<String>::new());
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if let Some(end) = ends.first() {
            // In a here-document; `<<-` takes tabs before its end.
            if line.trim_start_matches('\t').trim_end_matches('\r') == end {
                ends.remove(0);
            }
            continue;
        }
        let trimmed = line.trim_matches(BLANKS);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let escapes = trimmed.chars().rev().take_while(|one| *one == escape).count();
        let goes_on = if odd_only { escapes % 2 == 1 } else { escapes > 0 };
        let mut whole = open.take().unwrap_or(Line { number: index + 1, text: String::new() });
        if line.starts_with(BLANKS) && !whole.text.is_empty() {
            whole.text.push(' ');
        }
        whole.text.push_str(trimmed.trim_end_matches(escape));
        if goes_on {
            open = Some(whole);
        } else {
            ends = here_documents(&whole.text);
            all.push(whole);
        }
    }
    all.extend(open);
    all
}

/// The last lines of the here-documents that an instruction begins: `RUN <<EOF`, `COPY <<"A" <<-B /x/`.
fn here_documents(instruction: &str) -> Vec<String> {
    let keyword = instruction.split_whitespace().next().unwrap_or_default();
    if !["RUN", "COPY", "ADD"].iter().any(|with| keyword.eq_ignore_ascii_case(with)) {
        return Vec::new();
    }
    let named = instruction.split("<<").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(['"', '\'']);
        let name: String =
            rest.chars().take_while(|one| one.is_ascii_alphanumeric() || *one == '_').collect();
        // `<<<` gives a word and no document.
        (!name.is_empty()).then_some(name)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_the_line_in_which_they_begin() {
        let text = "\u{feff}# a comment\nFROM a\n\nRUN x \\\n # between\n  y\nRUN <<EOF\nCOPY a b\nEOF\nCOPY <<-A <<'B' /c/\n\tA\nB\nUSER d\n";
        let found: Vec<(usize, String)> =
            lines(text, true).into_iter().map(|line| (line.number, line.text)).collect();
        let expected =
            [(2, "FROM a"), (4, "RUN x  y"), (7, "RUN <<EOF"), (10, "COPY <<-A <<'B' /c/"), (13, "USER d")];
        assert_eq!(found, expected.map(|(number, text)| (number, text.to_owned())));
    }
}
