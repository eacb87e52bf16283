//! What `cargo xtask test` runs, as data: a new check is a new entry of [`STEPS`].
//! In: the workspace. Out: commands. May not run them.

use std::process::Command;

use crate::commands::{
    self, CONTROL_PLANE, DOCUMENTED, END_TO_END, GITOPS, LIVE, NODE, OBSERVE, STORIES, each, test, tests,
};
use crate::installed;
use crate::tools::{self, Tool};
use crate::workspace::{Package, Workspace};

/// One check with a name of its own.
pub struct Step {
    /// As in `cargo xtask test --only <name>`.
    pub name: &'static str,
    /// What holds when it passes.
    pub shows: &'static str,
    /// What has to be on the machine.
    pub needs: &'static [Tool],
    /// Why it cannot run on this machine, where that is no failure.
    pub unavailable: fn() -> Option<String>,
    /// How its commands share the machine.
    pub turn: Turn,
    /// The commands; the step passes when all succeed.
    pub commands: fn(&Workspace) -> anyhow::Result<Vec<Command>>,
}

/// When the commands of a step run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// One after another, and nothing beside them: what compiles keeps every core busy, and cargo to itself.
    Alone,
    /// After all of those, side by side with each other and with other steps': they mostly wait, and each has ports,
    /// folders and a cluster of its own. Those that take longest are first.
    Beside,
}

/// Of steps that run on every machine which has what they need.
const ALWAYS: fn() -> Option<String> = || None;

/// Every step, in the order in which they begin.
pub const STEPS: &[Step] = &[
    Step {
        name: "format",
        shows: "the code is formatted as rustfmt does it",
        needs: &[tools::RUSTFMT],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| Ok(vec![workspace.cargo(&["fmt", "--all", "--check"])]),
    },
    Step {
        name: "lint",
        shows: "clippy has nothing to say about any target",
        needs: &[tools::CLIPPY, tools::C_COMPILER],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
            Ok(vec![workspace.cargo(&clippy)])
        },
    },
    Step {
        name: "generated",
        shows: "the chart's CRDs and the book's pages of kinds are those of the Rust types",
        needs: &[],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| Ok(vec![workspace.cargo(&["xtask", "crds", "--check"])]),
    },
    Step {
        name: "build",
        shows: "every test builds, and every program and image that the tests run",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| Ok(commands::programs(workspace)),
    },
    Step {
        name: "unit",
        shows: "unit and property tests pass",
        needs: &[tools::C_COMPILER, tools::GO],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let programs = tests(workspace, |name| ![CONTROL_PLANE, END_TO_END, LIVE].contains(&name))?;
            let targets = [vec!["--lib", "--bins"], programs].concat();
            Ok(vec![test(workspace, &targets)])
        },
    },
    Step {
        name: "docs",
        shows: "the documentation builds without a warning",
        needs: &[tools::C_COMPILER],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let mut doc = workspace.cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
            doc.env("RUSTDOCFLAGS", "--deny warnings");
            Ok(vec![doc])
        },
    },
    Step {
        name: "book",
        shows: "the book builds, and every link and anchor in it leads somewhere",
        needs: &[tools::C_COMPILER],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| Ok(vec![workspace.cargo(&["xtask", "docs"])]),
    },
    Step {
        name: "alone",
        shows: "each crate builds without the features that others switch on",
        needs: &[tools::C_COMPILER],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let check =
                |package: &Package| workspace.cargo(&["check", "--locked", "--package", &package.name]);
            Ok(workspace.packages.iter().map(check).collect())
        },
    },
    Step {
        name: "dependencies",
        shows: "licences, sources and duplicates are those that deny.toml allows",
        needs: &[tools::C_COMPILER],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let mut deny = Command::new(installed::cargo_deny()?);
            deny.args([
                "--locked",
                "--workspace",
                "check",
                "--deny",
                "warnings",
                "licenses",
                "bans",
                "sources",
            ]);
            deny.current_dir(&workspace.root);
            Ok(vec![deny])
        },
    },
    Step {
        name: "release",
        shows: "what a release consists of can be made, and its workflows and those of the examples are valid",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Alone,
        commands: |workspace| {
            let program = installed::actionlint()?;
            let lint = || {
                let mut actionlint = Command::new(&program);
                actionlint.args(["-shellcheck=", "-pyflakes="]).current_dir(&workspace.root);
                actionlint
            };
            let mut examples = lint();
            examples.args(
                ["check", "plan", "run", "call"].map(|name| format!("examples/github-actions/{name}.yaml")),
            );
            let output = workspace.target.join("release-dry-run");
            let mut release = workspace.cargo(&["xtask", "release", "--dry-run", "--output"]);
            release.arg(output);
            Ok(vec![lint(), examples, release])
        },
    },
    Step {
        name: "end-to-end",
        shows: "the operator does what it promises between a real API server and the simulator",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| Ok(each(workspace, STORIES)),
    },
    Step {
        name: "http1",
        shows: "the story and the situations hold over HTTP/1.1 as well",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| Ok(commands::over_http1(workspace)),
    },
    Step {
        name: "node",
        shows: "the image that is built here works on a real node by Helm, and generated Dockerfiles build offline",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: azureml_control_plane::Node::unavailable,
        turn: Turn::Beside,
        commands: |workspace| Ok(each(workspace, NODE)),
    },
    Step {
        name: "documented",
        shows: "every command of the book runs, and every manifest in it is applied",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: tools::no_curl_or_jq,
        turn: Turn::Beside,
        commands: |workspace| Ok(each(workspace, DOCUMENTED)),
    },
    Step {
        name: "sdk",
        shows: "Microsoft's own Python client works with the simulator",
        needs: &[tools::C_COMPILER, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| {
            let mut checks = Command::new("python3");
            checks.args(["tests/sdk/run.py", "checks", "--quiet"]).current_dir(&workspace.root);
            Ok(vec![checks])
        },
    },
    Step {
        name: "control-plane",
        shows: "the control plane for tests works, and the chart on it",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| Ok(vec![test(workspace, &tests(workspace, |name| name == CONTROL_PLANE)?)]),
    },
    Step {
        name: "gitops",
        shows: "Flux applies, waits for, fails on and prunes our objects; kstatus and Argo CD read every state as it is meant",
        needs: &[tools::C_COMPILER, tools::GO, tools::GIT],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| Ok(each(workspace, GITOPS)),
    },
    Step {
        name: "live",
        shows: "the check against a subscription asks, answers, records and cleans up, here against the simulator",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: ALWAYS,
        turn: Turn::Beside,
        commands: |workspace| Ok(vec![test(workspace, &tests(workspace, |name| name == LIVE)?)]),
    },
    Step {
        name: "observe",
        shows: "a real Prometheus reads the metrics, the alerts and the dashboard, and a collector the traces",
        needs: &[tools::C_COMPILER, tools::GO, tools::PYTHON],
        unavailable: tools::no_prometheus,
        turn: Turn::Beside,
        commands: |workspace| Ok(each(workspace, OBSERVE)),
    },
];
