//! What shells, kubectl and `man` are told of the program, and what it says where kubectl is not there.

use crate::stub::Stub;
use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Output};

/// Runs the program where no other program is found.
fn alone(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
    Ok(command.args(arguments).env("PATH", "/nowhere").output()?)
}

fn printed(arguments: &[&str]) -> Result<String> {
    let output = alone(arguments)?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn kubectl_is_told_what_may_follow() -> Result<()> {
    for (words, follows) in [
        (&["st"][..], "status\n:4\n"),
        (&["status", "--cal"], "--calendar\n:4\n"),
        (&["status", "--output", ""], "table\njson\nyaml\n:4\n"),
        (&["graph", "-o", "d"], "dot\n:4\n"),
        (&["completion", ""], "bash\nzsh\nfish\nkubectl\n:4\n"),
        (&["plan", "--filename", ""], ":0\n"),
        (&["validate", "-f", "x"], ":0\n"),
        // The cluster is asked for these, and does not answer.
        (&["why", ""], ":4\n"),
        (&["run", "tr"], ":4\n"),
        (&["nothing", "like", "it"], ":4\n"),
    ] {
        let text = printed(&[&["complete", "--"], words].concat())?;
        ensure!(text == follows, "{words:?}: {text}");
    }
    let verbs = printed(&["complete", "--", ""])?;
    ensure!(verbs.contains("why\n") && !verbs.contains("complete\n"), "{verbs}");
    Ok(())
}

#[test]
fn the_cluster_is_asked_where_the_words_so_far_say() -> Result<()> {
    // It prints its arguments as names of objects.
    let stub = Stub::of("for word in \"$@\"; do echo \"mlrun.azureml.dev/$word\"; done")?;
    let asked = |words: &[&str]| -> Result<String> {
        let said = stub.said(&[&["complete", "--", "follow"], words, &[""]].concat())?;
        ensure!(said.code == Some(0), "{said:?}");
        Ok(said.out.replace('\n', " "))
    };
    for words in [&["--namespace", "a"][..], &["--namespace=a"], &["-n", "a"], &["-na"], &["-n=a"]] {
        let said = asked(words)?;
        ensure!(said.contains(" --namespace a "), "{words:?}: {said}");
    }
    let said = asked(&["--context=c", "--kubeconfig=k", "--progress=never"])?;
    ensure!(said.contains(" --context c --kubeconfig k "), "{said}");
    ensure!(!said.contains("--namespace"), "{said}");
    Ok(())
}

#[test]
fn each_shell_has_a_script_and_each_verb_a_page() -> Result<()> {
    for (shell, begin) in [
        ("bash", "_kubectl__azureml()"),
        ("zsh", "#compdef"),
        ("fish", "complete -c"),
        ("kubectl", "#!/bin/sh"),
    ] {
        let script = printed(&["completion", shell])?;
        ensure!(script.contains(begin) && (shell == "kubectl" || script.contains("reconcile")), "{script}");
    }
    let folder = tempfile::tempdir()?;
    printed(&["man", "--output", folder.path().to_str().context("no UTF-8")?])?;
    let page = std::fs::read_to_string(folder.path().join("kubectl-azureml-why.1"))?;
    ensure!(page.contains("whose turn it is"), "{page}");
    ensure!(folder.path().join("kubectl-azureml.1").exists());
    Ok(())
}

#[test]
fn without_kubectl_the_remedy_stands_first() -> Result<()> {
    for (arguments, code) in [
        (&["status"][..], 1),
        (&["why", "mlrun/a"], 1),
        (&["pause", "mlrun/a"], 1),
        (&["run", "a"], 2),
        (&["follow", "a"], 2),
    ] {
        let output = alone(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(code) && said.starts_with("error: install kubectl"),
            "{arguments:?}: {said}"
        );
    }
    let wrong = alone(&["graph", "--steps"])?;
    ensure!(wrong.status.code() == Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
    Ok(())
}

#[test]
fn files_are_drawn_without_a_cluster() -> Result<()> {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/r-gbm");
    let tree = printed(&["graph", "-f", example])?;
    ensure!(tree.starts_with("MLSchedule/r-gbm-weekdays\n└─ MLPipeline/r-gbm\n   ├─ "), "{tree}");
    let svg = printed(&["graph", "-f", example, "mlpipeline/r-gbm", "--steps", "--output", "svg"])?;
    ensure!(svg.starts_with("<svg ") && svg.contains(">prepared</text>"), "{svg}");
    Ok(())
}

#[test]
fn of_files_with_several_namespaces_one_is_drawn_or_the_name_is_refused() -> Result<()> {
    let pipeline = |namespace: &str, below: &str| {
        format!(
            "apiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: p{namespace}}}\n\
             spec: {{steps: [{{name: a, compute: {{ref: {below}}}}}]}}\n---\n"
        )
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("all.yaml");
    let all = [pipeline(", namespace: a", "of-a"), pipeline(", namespace: b", "of-b")].concat();
    std::fs::write(&file, &all)?;
    let file = file.to_str().context("no UTF-8")?;
    for (namespace, drawn) in [("a", "of-a"), ("b", "of-b")] {
        let shown = format!("MLPipeline/p\n└─ MLCompute/{drawn} (not here)\n");
        assert_eq!(printed(&["graph", "-f", file, "--namespace", namespace])?, shown);
        assert_eq!(printed(&["graph", "-f", file, "mlpipeline/p", "-n", namespace])?, shown);
    }
    let refused = |more: &[&str], words: &str| -> Result<()> {
        let output = alone(&[&["graph", "-f", file], more].concat())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1) && said.contains(words), "{more:?}: {said}");
        Ok(())
    };
    refused(&["mlpipeline/p"], "choose one by --namespace: mlpipeline/p is in several namespaces: a, b")?;
    refused(&["--namespace", "c"], "there is nothing to draw")?;
    // What names no namespace is in the one that is given.
    std::fs::write(file, [all, pipeline("", "of-none").replace("name: p", "name: q")].concat())?;
    let all = printed(&["graph", "-f", file, "--namespace", "a"])?;
    ensure!(all.contains("of-a") && all.contains("of-none") && !all.contains("of-b"), "{all}");
    Ok(())
}
