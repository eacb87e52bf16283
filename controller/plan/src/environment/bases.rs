//! The images that stages of a Dockerfile begin from, and the same text with their digests.
//!
//! In: a Dockerfile, its arguments, digests. Out: images, a text. An image that is not followed stays as it is written: one with a
//! digest, one that a stage has the name of, and one whose place in the text, or whose value, builders may read in different ways.

use super::arguments::Arguments;
use crate::dockerfile::{Line, lines};
use azureml_client::image::ImageRef;
use std::collections::BTreeMap;
use std::ops::Range;

/// The empty image.
const SCRATCH: &str = "scratch";

/// An image that a stage begins from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Base {
    /// The image, with arguments put in.
    pub image: String,
    /// The bytes of the text that name it.
    at: Range<usize>,
}

/// The images with a tag.
pub(super) fn bases(text: &str, args: &BTreeMap<String, String>) -> Vec<Base> {
    let other = read(text, args, false);
    read(text, args, true).into_iter().filter(|base| other.contains(base)).collect()
}

/// The text with digests in the place of tags: Docker's reference has `<image>:<tag>` and `<image>@<digest>`, and no form with both.
pub(super) fn pinned(
    text: &str,
    args: &BTreeMap<String, String>,
    digests: &BTreeMap<String, String>,
) -> String {
    let mut out = text.to_owned();
    for Base { image, at } in bases(text, args).into_iter().rev() {
        if let (Some(digest), Ok(parsed)) = (digests.get(&image), ImageRef::parse(&image)) {
            out.replace_range(at, &parsed.pinned(digest));
        }
    }
    out
}

fn read(text: &str, args: &BTreeMap<String, String>, odd_only: bool) -> Vec<Base> {
    let mut arguments = Arguments::of(args);
    let (mut found, mut stages) = (Vec::new(), Vec::<String>::new());
    let lines = lines(text, odd_only);
    let ends = lines.iter().skip(1).map(|line| line.number - 1).chain([usize::MAX]);
    for (Line { number, text: line }, end) in lines.iter().zip(ends) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((instruction, words)) = words.split_first() else { continue };
        if instruction.eq_ignore_ascii_case("ARG") {
            arguments.declare(words);
        }
        if !instruction.eq_ignore_ascii_case("FROM") {
            continue;
        }
        arguments.has_stage = true;
        let words: Vec<&str> = words.iter().copied().skip_while(|word| word.starts_with("--")).collect();
        let Some((word, rest)) = words.split_first() else { continue };
        let image = arguments.begins_from(word).filter(|image| is_followed(image, &stages));
        found.extend(image.and_then(|image| Some(Base { image, at: place(text, word, *number, end)? })));
        stages.extend(rest.get(1).map(|name| name.to_ascii_lowercase()));
    }
    found
}

fn is_followed(image: &str, stages: &[String]) -> bool {
    let is_name = image == SCRATCH || stages.contains(&image.to_ascii_lowercase());
    !is_name && ImageRef::parse(image).is_ok_and(|image| image.digest.is_none())
}

/// Where a word stands between two lines, counted from 1.
fn place(text: &str, word: &str, first: usize, last: usize) -> Option<Range<usize>> {
    let mut begin = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        if (first..=last).contains(&(index + 1)) && !is_comment {
            let is_it = |(at, _): &(usize, &str)| {
                let parted = |one: Option<char>| one.is_none_or(char::is_whitespace);
                parted(line[..*at].chars().next_back()) && parted(line[at + word.len()..].chars().next())
            };
            if let Some((at, _)) = line.match_indices(word).find(is_it) {
                return Some(begin + at..begin + at + word.len());
            }
        }
        begin += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests() -> BTreeMap<String, String> {
        ["a", "a:1", "h.io/b:2", "from"].into_iter().map(|name| (name.to_owned(), "D".to_owned())).collect()
    }

    #[test]
    fn images_get_their_digests_where_they_stand_and_nothing_else_changes() {
        for (text, expected) in [
            ("FROM a\nRUN a\n", "FROM docker.io/library/a@D\nRUN a\n"),
            (
                "\u{feff}# FROM a\r\nfrom  a:1\tas x\r\nFROM x\r\n",
                "\u{feff}# FROM a\r\nfrom  docker.io/library/a@D\tas x\r\nFROM x\r\n",
            ),
            (
                "FROM --platform=linux/amd64 \\\n # a\n h.io/b:2 \\\n AS c\n",
                "FROM --platform=linux/amd64 \\\n # a\n h.io/b@D \\\n AS c\n",
            ),
            (
                "ARG T=1\nFROM a:$T\nFROM a:${T} AS b\n",
                "ARG T=1\nFROM docker.io/library/a@D\nFROM docker.io/library/a@D AS b\n",
            ),
            ("ARG N\nFROM ${N}:2\n", "ARG N\nFROM h.io/b@D\n"),
            ("FROM \"a\"\nFROM from\n", "FROM docker.io/library/a@D\nFROM docker.io/library/from@D\n"),
            (
                "FROM a AS A:1\nFROM a\nFROM a",
                "FROM docker.io/library/a@D AS A:1\nFROM docker.io/library/a@D\nFROM docker.io/library/a@D",
            ),
            // A name that a stage has is that stage, and what is empty, known by digest or known to nobody stays.
            ("FROM a AS from\nFROM from\n", "FROM docker.io/library/a@D AS from\nFROM from\n"),
            ("FROM scratch\nCOPY --from=a / /\n", "FROM scratch\nCOPY --from=a / /\n"),
            ("FROM z:1\n", "FROM z:1\n"),
            // Some builders read no FROM here.
            ("FROM a\nRUN x \\\\\nFROM a\n", "FROM docker.io/library/a@D\nRUN x \\\\\nFROM a\n"),
            ("FROM a\nRUN <<E\nFROM a\nE\n", "FROM docker.io/library/a@D\nRUN <<E\nFROM a\nE\n"),
            // A word that goes on in another line has no place.
            ("FROM a:\\\n1\n", "FROM a:\\\n1\n"),
        ] {
            let args = BTreeMap::from([("N".to_owned(), "h.io/b".to_owned())]);
            assert_eq!(pinned(text, &args, &digests()), expected, "{text:?}");
        }
    }
}
