//! Words for a terminal: texts of others made harmless, how long ago, tables, colours.
//!
//! In: values. Out: text. Pure.

use jiff::{SignedDuration, Timestamp};

/// A text of somebody else as one line that a terminal only shows: it moves no cursor, sets no clipboard and begins no line of its own.
/// Ends of lines and tabs become blanks, other control characters U+FFFD. So it may stand in a comment of YAML too, which U+2028 ends.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown = |one: char| match one {
        '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        one if one.is_control() => char::REPLACEMENT_CHARACTER,
        one => one,
    };
    let lines = text.lines().map(|line| line.chars().map(shown).collect());
    lines.collect::<Vec<String>>().join(" ")
}

/// A text of somebody else that may have many lines: each is plain, and all but the first are indented, so that none is taken for ours.
#[must_use]
pub fn indented(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n  ")
}

/// A colour by its number (ECMA-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Something is wrong.
    Red = 31,
    /// All is well.
    Green = 32,
    /// Something goes on, or asks for attention.
    Yellow = 33,
}

/// A text in a colour, where colours are wanted.
#[must_use]
pub fn coloured(text: &str, colour: Colour, is_coloured: bool) -> String {
    if is_coloured { format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8) } else { text.to_owned() }
}

/// A duration as kubectl says it, with two units at most: `45s`, `5m`, `3h20m`, `4d`.
#[must_use]
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, of: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{of}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..7200 => format!("{minutes}m"),
        7200..172_800 => two(hours, "h", minutes % 60, "m"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

/// How long ago a moment was; `-` where it is not known.
#[must_use]
pub fn ago(moment: Option<Timestamp>, now: Timestamp) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| duration(now.duration_since(moment)))
}

/// A table as kubectl prints it: a row of headings, three blanks between columns. The last column may be of any length.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| seen(cell));
        cells.chain(headings.get(column).map(|heading| heading.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let heading: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(seen(cell)))));
        format!("{}\n", cells.collect::<Vec<_>>().join("   ").trim_end())
    };
    std::iter::once(&heading).chain(rows).map(line).collect()
}

/// How many characters of a text are seen: all but those that set a colour.
fn seen(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().chars().count();
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count())).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_does_nothing_to_a_terminal() {
        let text = "a\u{1b}]52;c;eA==\u{7}b\u{1b}[2J\u{9b}2J\tc\r\n\rerror: forged\u{7f} é\n";
        let (is, line) = (char::REPLACEMENT_CHARACTER, plain(text));
        assert_eq!(line, format!("a{is}]52;c;eA=={is}b{is}[2J{is}2J c {is}error: forged{is} é"));
        assert_eq!(indented(text), line.replace(" c ", " c\n  "));
        assert_eq!((plain(""), indented("a\n\nb")), (String::new(), "a\n  \n  b".to_owned()));
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let said = |seconds: i64| duration(SignedDuration::from_secs(seconds));
        let all = [-5, 0, 119, 120, 305, 601, 7199, 7200, 12_000, 90_000, 200_000, 900_000].map(said);
        assert_eq!(
            all,
            ["0s", "0s", "119s", "2m", "5m5s", "10m", "119m", "2h", "3h20m", "25h", "2d7h", "10d"]
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long".to_owned()], vec!["wide".to_owned(), String::new()]];
        assert_eq!(table(&["N", "M"], &rows), "N      M\na      long\nwide\n");
        let red = [vec![coloured("a", Colour::Red, true), "b".to_owned()]];
        assert_eq!(table(&["N", "M"], &red), "N   M\n\u{1b}[31ma\u{1b}[0m   b\n");
    }
}
