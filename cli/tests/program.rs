//! The program itself: its exit codes, what it writes where, and the example of the book.

use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Runs the program in the folder of the tests' files.
fn run(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
    Ok(command.args(arguments).current_dir(root().join("tests/files")).output()?)
}

/// Every file of a folder.
fn content(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(content(&path)?);
        } else {
            files.insert(path.clone(), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

#[test]
fn exit_codes_tell_errors_of_the_files_from_wrong_arguments() -> Result<()> {
    let cases: [(&[&str], i32); 9] = [
        (&["convert", "shop/cluster.yml"], 0),
        (&["convert", "wrong/datastore.yml"], 1),
        (&["convert", "wrong/datastore.yml", "--lenient"], 0),
        (&["convert", "wrong/absent.yml", "--lenient"], 1),
        (&["convert"], 2),
        (&["convert", "shop/cluster.yml", "--source", "git=main"], 2),
        // What names no workspace is wrong before anybody signs in.
        (&["import", "--workspace", "team-a"], 1),
        (&["import", "--workspace", "/subscriptions/s/resourceGroups/g"], 1),
        (&["import", "--workspace", "team-a", "--subscription", "s"], 2),
    ];
    for (arguments, code) in cases {
        let output = run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(code), "{arguments:?}: {}: {said}", output.status);
    }
    Ok(())
}

#[test]
fn a_second_run_into_a_folder_changes_nothing_and_a_folder_of_others_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_str().context("not UTF-8")?;
    let arguments =
        ["convert", "shop/cluster.yml", "publish/pipeline.yml", "--namespace", "shops", "--output", path];
    ensure!(run(&arguments)?.status.success());
    let first = content(folder.path())?;
    ensure!(first.len() == 5, "{:?}", first.keys());
    ensure!(run(&arguments)?.status.success());
    ensure!(first == content(folder.path())?);
    let other = run(&["convert", "publish/pipeline.yml", "--output", path])?;
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    ensure!(
        other.status.code() == Some(1)
            && said.contains("mlcompute-cpu-cluster.yaml is none of the files that are written here"),
        "{said}"
    );
    ensure!(first == content(folder.path())?);
    Ok(())
}

#[test]
fn the_examples_of_the_book_are_what_the_program_writes() -> Result<()> {
    for page in ["convert", "from-az-ml"] {
        let text = std::fs::read_to_string(root().join(format!("../docs/src/how-to/{page}.md")))?;
        let block = |begin: &str| -> Result<String> {
            let (_, rest) = text.split_once(begin).with_context(|| format!("{page}: no block {begin:?}"))?;
            Ok(rest.split_once("```").context("no end")?.0.to_owned())
        };
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("pipeline.yml");
        std::fs::write(&file, block("```yaml fragment\n")?)?;
        let output = run(&["convert", file.to_str().context("not UTF-8")?, "--workspace", "team-a"])?;
        let written = String::from_utf8(output.stdout)?;
        let manifest = written.split_once('\n').context("no comment")?.1;
        ensure!(manifest == block("```yaml\n")?, "{page}: {manifest}");
    }
    Ok(())
}

#[test]
fn code_in_git_is_named_from_the_top_of_the_repository_wherever_the_program_runs() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let project = folder.path().join("projects/prices");
    for path in [folder.path().join(".git"), project.join("jobs"), project.join("src")] {
        std::fs::create_dir_all(path)?;
    }
    let job = "type: command\nname: train\ncommand: python main.py\ncode: ../src\nenvironment: azureml:e:1\ncompute: azureml:cpu\n";
    std::fs::write(project.join("jobs/train.yml"), job)?;
    let source = "git=https://github.com/org/repository@refs/tags/v1.2.0";
    for (place, file) in
        [(folder.path(), "projects/prices/jobs/train.yml"), (&project.join("jobs"), "train.yml")]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
        let output = command.args(["convert", file, "--source", source]).current_dir(place).output()?;
        let (written, said) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        ensure!(output.status.success(), "the kinds take it: {said}");
        ensure!(
            written.contains("path: projects/prices/src") && written.contains("tag: v1.2.0"),
            "{written}"
        );
    }
    Ok(())
}

/// A program by the name of kubectl that keeps what it is asked, a line an argument, and refuses it.
#[cfg(unix)]
fn refusing(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("kubectl");
    std::fs::write(
        &path,
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >> \"${0%/*}/asked\"\necho '(NotFound)' >&2\nexit 1\n",
    )?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}

#[test]
#[cfg(unix)]
fn the_object_of_logs_is_one_of_ours_and_never_an_option_of_kubectl() -> Result<()> {
    for (object, resource) in [
        ("nightly-1", Some("mlruns.azureml.dev/nightly-1")),
        ("mlrun/nightly-1", Some("mlruns.azureml.dev/nightly-1")),
        ("mlrun.azureml.dev/nightly-1", Some("mlruns.azureml.dev/nightly-1")),
        ("mlenvironment/r", Some("mlenvironments.azureml.dev/r")),
        ("mlsched/nightly", Some("mlschedules.azureml.dev/nightly")),
        ("mlrun/-A", Some("mlruns.azureml.dev/-A")),
        ("mlrun/--kubeconfig=x", Some("mlruns.azureml.dev/--kubeconfig=x")),
        ("secret/x", None),
        ("--kubeconfig=x/y", None),
    ] {
        let folder = tempfile::tempdir()?;
        refusing(folder.path())?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
        let output =
            command.args(["logs", "-n", "team", "--", object]).env("PATH", folder.path()).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1), "{object}: {said}");
        let asked = std::fs::read_to_string(folder.path().join("asked")).unwrap_or_default();
        let expected =
            resource.map(|resource| format!("get\n{resource}\n--output=json\n--namespace\nteam\n"));
        ensure!(asked == expected.unwrap_or_default(), "{object}: {asked}");
        let remedy = if resource.is_some() { "correct the name" } else { "the kinds are" };
        ensure!(said.contains(remedy), "{object}: {said}");
    }
    Ok(())
}
