//! Whether the steps run each integration test, and run it once. In: the workspace as it is.

use std::path::PathBuf;
use std::process::Command;

use crate::commands::{self, END_TO_END};
use crate::steps::STEPS;
use crate::tools;
use crate::workspace::{Package, Workspace};

/// Every lane of the steps that run integration tests, as `… --test e2e story:: `: one for each module that a command runs.
fn lines(workspace: &Workspace) -> Vec<String> {
    let names = ["unit", "control-plane", "end-to-end", "documented", "observe", "gitops", "node", "live"];
    let test_steps = STEPS.iter().filter(|step| names.contains(&step.name));
    test_steps
        .flat_map(|step| (step.commands)(workspace).unwrap())
        .flat_map(|command| apart(&command))
        .collect()
}

/// The modules of a command one by one.
fn apart(command: &Command) -> Vec<String> {
    let line = tools::line(command).replace(" -- ", " ") + " ";
    let Some((program, modules)) = line.split_once(" --test e2e ") else { return vec![line] };
    modules.split_whitespace().map(|module| format!("{program} --test e2e {module} ")).collect()
}

fn folder(workspace: &Workspace, package: &Package) -> PathBuf {
    workspace.root.join(&package.folder).join("tests")
}

/// The modules of a program of end-to-end tests that is a file of nothing else; each is a lane.
fn modules(workspace: &Workspace, package: &Package, program: &str) -> Vec<String> {
    let file = folder(workspace, package).join(format!("{program}.rs"));
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let modules = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|_| package.name == END_TO_END).map(str::to_owned).collect()
}

#[test]
fn steps_have_names_of_their_own() {
    let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), STEPS.len());
}

#[test]
fn what_runs_over_http1_runs_in_another_step_too() {
    let workspace = Workspace::load().unwrap();
    let usual = lines(&workspace);
    let commands = commands::over_http1(&workspace);
    for command in &commands {
        assert!(command.get_envs().any(|(name, value)| name == "AZUREML_E2E_HTTP1" && value.is_some()));
    }
    let modules: Vec<String> = commands.iter().flat_map(apart).collect();
    assert!(
        modules.len() == 2 && modules.iter().all(|module| usual.contains(module)),
        "{modules:?} in {usual:?}"
    );
}

#[test]
fn every_integration_test_runs_in_exactly_one_step() {
    let workspace = Workspace::load().unwrap();
    let (commands, mut lanes) = (lines(&workspace), Vec::new());
    for package in &workspace.packages {
        for program in &package.tests {
            match modules(&workspace, package, program) {
                none if none.is_empty() => lanes.push(format!("--test {program} ")),
                all => lanes.extend(all.iter().map(|module| format!("--test {program} {module}:: "))),
            }
        }
    }
    for lane in &lanes {
        let count = commands.iter().filter(|line| line.contains(lane)).count();
        assert_eq!(count, 1, "`{lane}` in {commands:#?}");
    }
    // A filter that is no module's would run nothing, and pass.
    let filters = |all: &[String]| all.iter().filter(|line| line.contains(":: ")).count();
    assert_eq!(filters(&commands), filters(&lanes), "{commands:#?}");
}

#[test]
fn no_lane_runs_a_part_of_another() {
    // Its filter is found anywhere in the name of a test: `tenants::` in `docs::tenants::…` too.
    let workspace = Workspace::load().unwrap();
    let package = workspace.packages.iter().find(|package| package.name == END_TO_END).unwrap();
    let mut found = 0;
    for program in &package.tests {
        let modules = modules(&workspace, package, program);
        for module in &modules {
            let Ok(files) = folder(&workspace, package).join(module).read_dir() else { continue };
            for file in files {
                let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
                assert!(!modules.contains(&name), "rename {module}/{name}: a lane of {program} is named so");
                found += 1;
            }
        }
    }
    assert!(found > 20, "only {found} files of modules are found");
}
