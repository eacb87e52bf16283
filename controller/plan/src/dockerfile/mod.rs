//! The Dockerfile that is built: the user's, and after it a line for everything that must be in the image.
//!
//! In: a build, what is known of its context. Out: the text and the stage to build, or the line that cannot be built.

mod context;
mod directive;
mod lines;
mod sources;

pub use self::context::{Context, LONGEST};
pub use self::directive::directive;
pub use self::lines::{Line, lines};

use self::directive::{BLANKS, escape};
use self::sources::Fault;
use crate::checks;
use crate::invalid::InvalidSpec;
use crate::reasons::Reason;
use azureml_crds::ml_environment::Build;

/// The text that is built, and the stage to stop at; none for the last one.
#[derive(Debug, PartialEq)]
pub struct Text {
    /// The Dockerfile.
    pub dockerfile: String,
    /// The stage.
    pub target: Option<String>,
}

/// A text that is written, and where.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// The field that says where.
    pub field: &'static str,
    /// The Dockerfile.
    pub text: &'a str,
}

/// The user's text without a byte order mark, and the checks that `verify` asks for, each on a line of its own. Checks of a stage that is
/// not the last one are a stage of their own on top of it.
///
/// # Errors
/// When the text has no stage, or none of the target's name, takes what is not there, or ends in the middle of an instruction.
pub fn with_checks(
    Written { field, text }: Written<'_>,
    build: &Build,
    context: Option<&Context>,
) -> Result<Text, InvalidSpec> {
    let text = text.trim_start_matches('\u{feff}');
    let target = build.target.as_deref().map(|target| stage(text, target)).transpose()?;
    if let Some((line, escape)) = goes_on(text) {
        let message = format!(
            "line {line}: the text ends with {escape}, in the middle of an instruction; write the rest, or remove the {escape}"
        );
        return Err(refused(field, message));
    }
    if !instructions(text, true).iter().any(|line| is_from(line)) {
        return Err(refused(field, "there is no FROM line; begin with FROM <image>".to_owned()));
    }
    let checks = build.verify.as_ref().map(checks::asked).unwrap_or_default();
    // Checks are a stage of their own, for which all stages are built.
    let until = target.filter(|_| checks.is_empty());
    if let Some(Fault { line, message }) = sources::fault(text, until, context) {
        return Err(refused(field, format!("line {line}: {message}")));
    }
    if checks.is_empty() {
        return Ok(Text { dockerfile: text.to_owned(), target: target.map(str::to_owned) });
    }
    let from = target.map(|target| format!("FROM {target}\n")).unwrap_or_default();
    let dockerfile = format!("{}\n\n{from}# build.verify\n{}\n", text.trim_end(), checks.join("\n"));
    Ok(Text { dockerfile, target: None })
}

fn is_from(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("FROM"))
}

/// The target, if a stage has its name: `FROM image AS name`.
fn stage<'a>(text: &str, target: &'a str) -> Result<&'a str, InvalidSpec> {
    let name = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.eq_ignore_ascii_case("AS")).filter(|_| is_from(line))?;
        words.get(at + 1).map(|name| name.to_ascii_lowercase())
    };
    let stages: Vec<String> = instructions(text, true).iter().filter_map(name).collect();
    if stages.iter().any(|stage| stage == target) {
        return Ok(target);
    }
    let named = if stages.is_empty() { "none has a name".to_owned() } else { stages.join(", ") };
    Err(refused("build.target", format!("no stage has the name {target}; stages: {named}")))
}

fn refused(field: &str, message: String) -> InvalidSpec {
    InvalidSpec { reason: Reason::INVALID_DOCKERFILE, ..InvalidSpec::new(field, message) }
}

/// The line and the escape character that end the last instruction. Lines that are empty or a comment end none ("Dockerfile reference",
/// Docker).
fn goes_on(text: &str) -> Option<(usize, char)> {
    let escape = escape(text);
    let is_said = |(_, line): &(usize, &str)| !line.is_empty() && !line.starts_with('#');
    let (line, last) = text.lines().map(str::trim).enumerate().filter(is_said).last()?;
    last.ends_with(escape).then_some((line + 1, escape))
}

/// The instructions, each on one line: lines that go on are joined, comments and empty lines left out. Some builders end a line
/// after two escapes (`odd_only`), some do not.
#[must_use]
pub fn instructions(text: &str, odd_only: bool) -> Vec<String> {
    let escape = escape(text);
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A line that goes on is joined as it stands: only blanks part words.
        let is_indented = line.starts_with(BLANKS);
        let line = line.trim_matches(BLANKS);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if is_indented && !open.is_empty() {
            open.push(' ');
        }
        let escapes = line.chars().rev().take_while(|c| *c == escape).count();
        let goes_on = if odd_only { escapes % 2 == 1 } else { escapes > 0 };
        open.push_str(line.trim_end_matches(escape));
        if !goes_on {
            all.push(std::mem::take(&mut open).trim().to_owned());
        }
    }
    all.extend((!open.trim().is_empty()).then(|| open.trim().to_owned()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::ml_environment::Verify;
    use std::collections::BTreeMap;

    fn build(verify: Option<Verify>) -> Build {
        Build {
            dockerfile: None,
            dockerfile_path: None,
            files: None,
            context: None,
            args: BTreeMap::default(),
            target: None,
            platform: None,
            builder: None,
            verify,
        }
    }

    fn made(text: &str, build: &Build) -> Result<Text, InvalidSpec> {
        let context = Context::of(std::iter::empty(), None);
        with_checks(Written { field: "build.dockerfile", text }, build, Some(&context))
    }

    fn verify() -> Verify {
        Verify { r_packages: Vec::new(), python_packages: Vec::new(), command: vec!["true".into()] }
    }

    #[test]
    fn the_users_text_is_left_alone() {
        assert_eq!(made("FROM r-base\n", &build(None)).unwrap().dockerfile, "FROM r-base\n");
        // A byte order mark is no part of it.
        let text = made("\u{feff}FROM r-base\nRUN x\n", &build(None)).unwrap().dockerfile;
        assert_eq!(text, "FROM r-base\nRUN x\n");
    }

    #[test]
    fn what_cannot_be_built_is_refused_with_its_line() {
        let said = |text: &str| made(text, &build(None)).unwrap_err().to_string();
        assert_eq!(
            said("# FROM a\nRUN x\n"),
            "build.dockerfile: there is no FROM line; begin with FROM <image>"
        );
        assert_eq!(
            said("FROM a\nCOPY setup.py .\n"),
            "build.dockerfile: line 2: the context has no setup.py, which COPY takes; add it to the context, correct its name, or let .dockerignore leave it in"
        );
    }

    #[test]
    fn what_must_be_there_is_loaded() {
        let verify = Verify {
            r_packages: vec!["caret".into(), "gbm".into()],
            python_packages: vec!["numpy".into()],
            command: vec!["Rscript".into(), "--version".into()],
        };
        insta::assert_snapshot!(made("FROM r-base\n", &build(Some(verify))).unwrap().dockerfile);
    }

    #[test]
    fn a_check_has_a_line_of_its_own() {
        for text in [
            "FROM a\r\nRUN x\r\n",
            "FROM a\nRUN x `",
            "FROM a\nRUN x\n# a comment \\\n",
            "# escape=`\nFROM a\nRUN dir c:\\\n",
            "# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN dir c:\\",
            "\u{feff}FROM a",
        ] {
            let built = made(text, &build(Some(verify()))).unwrap().dockerfile;
            assert!(built.ends_with("\n\n# build.verify\nRUN [\"true\"]\n"), "{built:?}");
        }
        for (text, escape) in [
            ("FROM a\nRUN x \\", '\\'),
            ("FROM a\nRUN x \\ \t\r\n\r\n", '\\'),
            ("FROM a\nRUN x \\\n# a comment\n\n", '\\'),
            ("FROM a\nRUN x \\\\", '\\'),
            ("# escape=`\r\nFROM a\r\nRUN x `\r\n", '`'),
            ("\u{feff}#Escape = `\nFROM a\nRUN x `", '`'),
            // Below an instruction it is a comment.
            ("FROM a\n# escape=`\nRUN x \\", '\\'),
        ] {
            let refused = made(text, &build(Some(verify()))).unwrap_err();
            assert_eq!(refused.reason, Reason::INVALID_DOCKERFILE);
            assert!(refused.message.contains(&format!("the text ends with {escape},")), "{refused}");
        }
    }

    #[test]
    fn a_target_is_a_stage_and_its_checks_are_on_top_of_it() {
        let text = "FROM a AS base\nfrom base \\\n  as Train\nRUN x\nFROM train AS serve\n";
        let of = |target: &str, verify| made(text, &Build { target: Some(target.into()), ..build(verify) });
        let plain = of("train", None).unwrap();
        assert_eq!(plain, Text { dockerfile: text.into(), target: Some("train".into()) });
        let checked = of("train", Some(verify())).unwrap();
        let expected = format!("{}\n\nFROM train\n# build.verify\nRUN [\"true\"]\n", text.trim_end());
        assert_eq!(checked, Text { dockerfile: expected, target: None });
        let refused = of("test", None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "build.target: no stage has the name test; stages: base, train, serve"
        );
    }
}
