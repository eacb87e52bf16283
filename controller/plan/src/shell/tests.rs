//! Command lines, as they are written and as shells carry them out: with values that try to leave their place.

use super::*;
use std::process::{Command, Stdio};

const ARGS: [&str; 8] = [
    "--in",
    "${{inputs.raw}}",
    "two words",
    "it's",
    "",
    "$HOME",
    "$[[--rate ${{inputs.rate}}]]",
    "--out=${{outputs.model}}/a b",
];

fn args(args: &[&str]) -> Vec<String> {
    args.iter().map(|&arg| arg.to_owned()).collect()
}

#[test]
fn every_argument_is_one_word() {
    assert_eq!(
        line(&["python", "a.py"], &args(&ARGS[2..6])),
        r"python a.py 'two words' 'it'\''s' '' '$HOME'"
    );
    let text = line(&["Rscript", "train.R"], &args(&ARGS));
    let (program, values) = text.split_once(" # values:\n").expect("a here-document");
    assert_eq!(values, "$[[=${{inputs.rate}}]]\n=${{inputs.raw}}\n=${{outputs.model}}\nend");
    let command = program.rsplit_once("; exec ").expect("a program").1;
    let wanted = r#"Rscript train.R --in "${inputs_raw#=}" 'two words' 'it'\''s' '' '$HOME' ${inputs_rate:+--rate "${inputs_rate#=}"} --out="${outputs_model#=}"'/a b'"#;
    assert_eq!(command, wanted);
}

/// The text as Azure ML would fill it. Source: the recorded commands of `tests/simulator/src/execute/command.rs`.
fn filled(text: &str, raw: &str, rate: Option<&str>) -> String {
    let text = match rate {
        Some(rate) => text.replace("$[[=${{inputs.rate}}]]", &format!("={rate}")),
        None => text.replace("$[[=${{inputs.rate}}]]", ""),
    };
    text.replace("${{outputs.model}}", "/mnt/model").replace("${{inputs.raw}}", raw)
}

/// The words that a program gets, by every shell of this machine; nothing when it is not started.
fn words(text: &str) -> Vec<Option<Vec<String>>> {
    let shells: [&[&str]; 4] = [&["bash", "-c"], &["dash", "-c"], &["busybox", "sh", "-c"], &["sh", "-c"]];
    let run = |shell: &[&str]| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(text).stdin(Stdio::null());
        let output = command.output().ok()?;
        let is_started = output.status.success();
        assert!(is_started || output.status.code() == Some(64), "{shell:?}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(is_started || text.is_empty(), "{shell:?} printed {text:?}");
        Some(is_started.then(|| text.split_terminator('\x1e').map(str::to_owned).collect()))
    };
    let all: Vec<_> = shells.into_iter().filter_map(run).collect();
    assert!(!all.is_empty(), "this machine has no shell");
    all
}

/// A program that prints its arguments, each with a separator behind it.
const SHOW: [&str; 4] = ["sh", "-c", r#"printf '%s\036' "$@""#, "show"];

#[test]
fn no_value_leaves_its_word() {
    let text = line(&SHOW, &args(&ARGS));
    for value in [
        "plain",
        "two words",
        "",
        "x'; id; '",
        "\"; id; \"",
        "$(id) `id` ${HOME} $HOME",
        "\\",
        "a\\nb",
        "* ? [a] ~ {a,b} !! #",
        "${{inputs.rate}} $[[x]]",
        "end",
        "\tend",
        "=end",
        "<<-'\tend'$'\\n'",
        "  leading and trailing  ",
        "東京 \u{7f} \r",
        "-e",
        "--eval=1",
    ] {
        for rate in [None, Some(value)] {
            let mut wanted = args(&["--in", value, "two words", "it's", "", "$HOME"]);
            wanted.extend(rate.into_iter().flat_map(|rate| ["--rate".to_owned(), rate.to_owned()]));
            wanted.push("--out=/mnt/model/a b".to_owned());
            for words in words(&filled(&text, value, rate)) {
                assert_eq!(words.as_ref(), Some(&wanted), "{value:?}");
            }
        }
    }
}

#[test]
fn a_value_of_several_lines_starts_nothing() {
    let text = line(&SHOW, &args(&ARGS));
    let alone = line(&SHOW, &args(&["${{inputs.raw}}"]));
    for value in [
        "a\nb",
        "\n",
        "a\n",
        "a\nend",
        "a\nend\n",
        "a\n\tend\nid",
        "a\nend\n\tend\nid\n",
        "a\nend\n\tend\n\nid",
        "a\nend\n\tend$\\n\nid",
        "a\nend\n'\tend'$'\\n'\nid",
        "\tend\nid",
        "a\n=b\n=c\nend",
        "a\n=b\n=c\nend\n\tend\nid\n",
    ] {
        for words in words(&filled(&alone, value, None)) {
            assert_eq!(words, None, "{value:?}");
        }
        for (raw, rate) in [(value, None), (value, Some("1")), ("1", Some(value)), (value, Some(value))] {
            for words in words(&filled(&text, raw, rate)) {
                assert_eq!(words, None, "{value:?}");
            }
        }
    }
}

#[test]
fn values_start_nothing_when_the_line_breaks_of_the_text_are_lost() {
    let text = line(&SHOW, &args(&ARGS)).replace('\n', " ");
    for value in ["a", "'; id; '", "$(id)", "; id"] {
        for words in words(&filled(&text, value, Some(value))) {
            assert_eq!(words, None, "{value:?}");
        }
    }
}
