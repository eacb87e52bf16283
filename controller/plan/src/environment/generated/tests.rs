//! Dockerfiles as they are generated, and names that try to be more than names.

use super::text::Files;
use super::*;
use azureml_crds::ml_environment::{BASE_PYTHON, BASE_R, Conda, Packages};
use serde_json::{Value, json};
use std::process::Command;

const OF: &str = "team-a/churn";
const CONTENT: &str = "0123456789abcdef0123456789abcdef";

fn of_packages(spec: Value) -> Result<Files, crate::invalid::InvalidSpec> {
    packages(&serde_json::from_value(spec).unwrap(), OF, CONTENT)
}

fn of_conda(spec: Value) -> Files {
    let spec = serde_json::from_value::<Conda>(spec).unwrap();
    let text = spec.file.as_deref().unwrap_or_default();
    conda(&spec, &Installed { text, named: CondaFile::read(text).unwrap() }, OF, CONTENT).unwrap()
}

/// Specs of every part.
fn all() -> Vec<(&'static str, Files)> {
    let hash = "0a".repeat(32);
    let python = json!({"base": "python", "pip": ["scikit-learn==1.5.2", "Pillow"], "conda": ["lightgbm>=4,<5", "pytorch::pytorch"]});
    let r = json!({"base": "r", "r": ["caret", "dplyr@1.1.4"], "snapshot": "2026-11-01", "apt": ["libgdal-dev", "curl=8.5.0-2~x"],
        "pip": [format!("six==1.16.0 --hash=sha256:{hash}")], "verify": {"command": ["Rscript", "--version"]}});
    let mirrors = json!({"base": "registry.contoso.com/r:1", "r": ["gbm"], "snapshot": "2026-11-01", "pip": ["six"], "conda": ["python=3.11"],
        "mirrors": {"cran": "https://mirror.contoso.com/cran/", "pypi": "https://mirror.contoso.com/simple", "conda": "https://mirror.contoso.com/conda"}});
    let file =
        "channels: [conda-forge]\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - scikit-learn==1.5.2\n";
    let conda = json!({"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20260714.v1", "file": file,
        "verify": {"pythonPackages": ["sklearn.ensemble"]}});
    let of = |spec: Value| of_packages(spec).unwrap();
    vec![("conda", of_conda(conda)), ("python", of(python)), ("r", of(r)), ("mirrors", of(mirrors))]
}

#[test]
fn dockerfiles_are_these() {
    for (name, files) in all() {
        let texts = files.iter().filter(|(file, _)| *file != "install.R");
        let text: Vec<String> = texts.map(|(file, text)| format!("=== {file}\n{text}")).collect();
        insta::assert_snapshot!(name, text.join("\n"));
    }
}

#[test]
fn the_same_spec_makes_the_same_text() {
    assert_eq!(all(), all());
}

/// The commands of a Dockerfile, as a shell gets them.
fn commands(dockerfile: &str) -> Vec<String> {
    let lines = crate::dockerfile::instructions(dockerfile, true);
    let commands = lines.iter().filter_map(|line| line.strip_prefix("RUN "));
    commands
        .map(|command| match serde_json::from_str::<Vec<String>>(command) {
            Ok(words) if words[0] == "/bin/sh" => words[2].clone(),
            Ok(words) => words.iter().map(|word| crate::shell::quoted(word)).collect::<Vec<_>>().join(" "),
            Err(_) => command.to_owned(),
        })
        .collect()
}

#[test]
fn every_command_is_one_for_a_shell() {
    for (name, files) in all() {
        for command in commands(&files[DOCKERFILE]) {
            for shell in ["sh", "bash"] {
                let done = Command::new(shell).args(["-n", "-c", &command]).output().unwrap();
                assert!(done.status.success() && done.stderr.is_empty(), "{name}: {command}: {done:?}");
            }
        }
    }
}

/// What tries to leave its place.
const ATTACKS: [&str; 24] = [
    "a; id",
    "a && id",
    "a | sh",
    "a$(id)",
    "a`id`",
    "a'b",
    "a\"b",
    "a\nRUN id",
    "a\rb",
    "a\\",
    "a\\\nb",
    "$HOME",
    "${A}",
    "-y",
    "--index-url=x",
    "a --index-url=https://x",
    "a -r /etc/passwd",
    "",
    " a",
    "a\tb",
    "a#b",
    "a>b c/d",
    "a\u{0}",
    "ä",
];

#[test]
fn a_name_that_could_be_more_than_a_name_is_refused() {
    for attack in ATTACKS {
        for field in ["r", "pip", "conda", "apt"] {
            let mut spec = json!({"base": "r", "snapshot": "2026-11-01"});
            spec[field] = json!(["good", attack]);
            let refused = of_packages(spec).unwrap_err();
            assert_eq!(refused.field, format!("packages.{field}"), "{attack:?}");
        }
        let refused = of_packages(json!({"base": attack, "apt": ["curl"]})).unwrap_err();
        assert_eq!(refused.field, "packages.base", "{attack:?}");
        let spec = Conda { image: attack.into(), file: None, from: None, builder: None, verify: None };
        let file = Installed { text: "", named: CondaFile::default() };
        let refused = conda(&spec, &file, OF, CONTENT);
        assert_eq!(refused.unwrap_err().field, "conda.image", "{attack:?}");
        for mirror in ["cran", "pypi", "conda"] {
            let refused = of_packages(
                json!({"base": "r", "apt": ["curl"], "mirrors": {mirror: format!("https://x/{attack} ")}}),
            );
            assert_eq!(refused.unwrap_err().field, format!("packages.mirrors.{mirror}"), "{attack:?}");
        }
    }
}

#[test]
fn what_apt_and_pip_read_as_more_than_a_name_is_refused() {
    for (field, name) in [
        ("apt", "curl-"),
        ("apt", "curl-=1"),
        ("pip", "a --hash=md5:00"),
        ("pip", "a --hash=sha256:zz"),
        ("pip", "a --pre"),
    ] {
        let mut spec = json!({"base": "python"});
        spec[field] = json!([name]);
        assert_eq!(of_packages(spec).unwrap_err().field, format!("packages.{field}"), "{name}");
    }
    for snapshot in [json!("2026-02-30"), json!("latest"), Value::Null] {
        let spec = json!({"base": "r", "r": ["gbm"], "snapshot": snapshot});
        assert_eq!(of_packages(spec).unwrap_err().field, "packages.snapshot", "{snapshot}");
    }
    let mirror = json!({"base": "r", "apt": ["a"], "mirrors": {"cran": "http://x"}});
    assert_eq!(of_packages(mirror).unwrap_err().field, "packages.mirrors.cran");
}

/// A conda file goes into the context as it stands, whatever is in it.
#[test]
fn a_conda_file_is_no_part_of_the_dockerfile() {
    let file = "dependencies:\n- \"a$(id)\"\n- \"b'; id; '\"\n- 'c\"&& id'\n- \"d\\nRUN id\"\n";
    let files = of_conda(json!({"image": "a", "file": file}));
    assert_eq!(files["conda.yaml"], file);
    let dockerfile = &files[DOCKERFILE];
    assert!(dockerfile.lines().filter(|line| line.starts_with("RUN ")).count() == 2, "{dockerfile}");
    let check = dockerfile.lines().last().unwrap();
    let words: Vec<String> = serde_json::from_str(check.strip_prefix("RUN ").unwrap()).unwrap();
    assert_eq!(words[4..], ["a$(id)", "b';", "c\"&&", "d\nrun"]);
}

#[test]
fn the_field_says_which_images_its_words_name() {
    let definition = <azureml_crds::MLEnvironment as kube::CustomResourceExt>::crd();
    let text = serde_json::to_string(&definition).unwrap();
    for (word, image) in [("r", BASE_R), ("python", BASE_PYTHON)] {
        assert!(text.contains(&format!("`{word}` (`{image}`)")), "{word}");
        let packages = Packages { base: word.into(), apt: vec!["curl".into()], ..Packages::default() };
        let files = super::packages(&packages, OF, CONTENT).unwrap();
        assert!(files[DOCKERFILE].contains(&format!("\nFROM {image}\n")));
    }
}
