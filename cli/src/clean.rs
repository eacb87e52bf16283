//! Logs of others, before they reach a terminal: what would move the cursor is taken out, and colours stay.
//!
//! In: pieces of a log in the order in which they were read. Out: the same without control characters. Decides nothing else.

/// The most characters of a colour: `ESC [ 38;2;255;255;255;48;2;255;255;255 m`, and room.
const COLOUR: usize = 48;

/// Takes what controls a terminal out of a log that comes in pieces: all control characters but line feeds, tabs, carriage returns and colours
/// (`ESC [ … m`, ECMA-48).
#[derive(Debug, Default)]
pub struct Filter {
    /// What was read, and cannot be judged before the next piece.
    held: Vec<u8>,
}

impl Filter {
    /// What may be shown after another piece.
    pub fn take(&mut self, piece: &[u8]) -> String {
        self.held.extend_from_slice(piece);
        let all = std::mem::take(&mut self.held);
        let mut text = String::new();
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let (bad, is_last) = (chunk.invalid(), chunks.peek().is_none());
            if is_last && is_begun(bad) {
                self.held = bad.to_vec();
            } else if !bad.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        // A colour that is not complete comes with the next piece.
        if let Some(place) = text.rfind('\u{1b}').filter(|place| is_open(&text[*place + 1..])) {
            let mut held = text.split_off(place).into_bytes();
            held.append(&mut self.held);
            self.held = held;
        }
        shown(&text)
    }

    /// What may be shown of what was held back, at the end.
    pub fn end(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        shown(&String::from_utf8_lossy(&held))
    }
}

/// Whether bytes are the beginning of a character.
fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Whether what stands behind an `ESC` is the beginning of a colour.
fn is_open(rest: &str) -> bool {
    let Some(numbers) = rest.strip_prefix('[') else { return rest.is_empty() };
    numbers.len() < COLOUR && numbers.chars().all(is_of_colour)
}

fn is_of_colour(letter: char) -> bool {
    letter.is_ascii_digit() || letter == ';' || letter == ':'
}

/// How long a colour is at the beginning of what stands behind an `ESC`.
fn colour(rest: &str) -> Option<usize> {
    let numbers = rest.strip_prefix('[')?;
    let end = numbers.find(|letter| !is_of_colour(letter))?;
    (end < COLOUR && numbers[end..].starts_with('m')).then_some(end + 2)
}

fn shown(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut shown = String::new();
    let plain = |text: &str, shown: &mut String| {
        shown.extend(
            text.chars().filter(|letter| !letter.is_control() || ['\n', '\t', '\r'].contains(letter)),
        );
    };
    plain(parts.next().unwrap_or_default(), &mut shown);
    for part in parts {
        let (colour, rest) = part.split_at(colour(part).unwrap_or(0));
        if !colour.is_empty() {
            shown.push('\u{1b}');
            shown.push_str(colour);
        }
        plain(rest, &mut shown);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "a\u{1b}[1;31mred\u{1b}[0m\tb\r\n\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}2Jé\u{1b}cx\u{8}";
    const SHOWN: &str = "a\u{1b}[1;31mred\u{1b}[0m\tb\r\n[2J]0;title2Jécx";

    #[test]
    fn a_log_keeps_its_colours_and_moves_no_cursor_however_it_is_cut() {
        for length in 1..=LOG.len() {
            let mut filter = Filter::default();
            let mut text: String = LOG.as_bytes().chunks(length).map(|piece| filter.take(piece)).collect();
            text.push_str(&filter.end());
            assert_eq!(text, SHOWN, "{length}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_and_colours_without_an_end_are_held_back_no_longer_than_needed() {
        let mut filter = Filter::default();
        assert_eq!(filter.take(b"\xffa\xc3"), "\u{fffd}a");
        assert_eq!(filter.take(b"b"), "\u{fffd}b");
        assert_eq!(filter.take(b"\x1b[1"), "");
        assert_eq!(filter.take(&[b'1'; 60]).len(), 62);
        assert_eq!((filter.take(b"\xe2\x82"), filter.end()), (String::new(), "\u{fffd}".to_owned()));
    }
}
