//! `cargo xtask test`: runs the steps, says which and how long, and ends with a table, the slowest first.
//! In: which steps. Out: success, or the first failure. May not know what a step does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::steps::{STEPS, Step};
use crate::tools;
use crate::workspace::Workspace;

/// Runs every check of the project, the cheapest first.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run only this step; can be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// List the steps and run none.
    #[arg(long, exclusive = true)]
    list: bool,
}

/// How a step went.
struct Outcome {
    name: &'static str,
    took: Duration,
    verdict: Verdict,
}

/// What became of it.
enum Verdict {
    Passed,
    /// Why.
    Failed(String),
    /// Why it cannot run on this machine.
    Skipped(String),
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "skipped",
        }
    }
}

/// Runs them.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.list {
        for step in STEPS {
            println!("{:<14} {}", step.name, step.shows);
        }
        return Ok(());
    }
    let steps = chosen(&arguments.only)?;
    check_tools(&steps)?;
    let workspace = Workspace::load()?;
    let mut outcomes = Vec::new();
    for step in &steps {
        let outcome = carry_out(step, &workspace);
        let failed = matches!(outcome.verdict, Verdict::Failed(_));
        outcomes.push(outcome);
        if failed && !arguments.keep_going {
            break;
        }
    }
    print!("{}", table(&mut outcomes, steps.len()));
    let failures: Vec<_> = outcomes.iter().filter_map(sentence).collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    let known = |name: &&String| STEPS.iter().any(|step| step.name == name.as_str());
    if let Some(unknown) = only.iter().find(|name| !known(name)) {
        bail!("there is no step {unknown:?}; `cargo xtask test --list` shows them");
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

/// Before anything runs, so that nobody waits ten minutes to learn that Go is missing.
fn check_tools(steps: &[&Step]) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    let tools = steps.iter().flat_map(|step| step.needs).filter(|tool| seen.insert(tool.name));
    let missing: Vec<_> =
        tools.filter_map(|tool| tool.check().err()).map(|error| error.to_string()).collect();
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(())
}

fn carry_out(step: &Step, workspace: &Workspace) -> Outcome {
    println!("\n=== {}: {}", step.name, step.shows);
    let started = Instant::now();
    let verdict = match (step.unavailable)() {
        Some(reason) => {
            println!("skipped: {reason}");
            Verdict::Skipped(reason)
        }
        None => commands(step, workspace)
            .map_or_else(|error| Verdict::Failed(format!("{error:#}")), |()| Verdict::Passed),
    };
    let took = started.elapsed();
    println!("=== {} {} after {}", step.name, verdict.word(), seconds(took));
    Outcome { name: step.name, took, verdict }
}

fn commands(step: &Step, workspace: &Workspace) -> anyhow::Result<()> {
    for mut command in (step.commands)(workspace)? {
        println!("$ {}", tools::line(&command));
        tools::run(&mut command)?;
    }
    Ok(())
}

fn table(outcomes: &mut [Outcome], chosen: usize) -> String {
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    let count = |word| outcomes.iter().filter(|outcome| outcome.verdict.word() == word).count();
    let rows = outcomes.iter().map(|outcome| {
        let reason = match &outcome.verdict {
            Verdict::Skipped(reason) => format!(": {reason}"),
            Verdict::Passed | Verdict::Failed(_) => String::new(),
        };
        format!("{:>9}  {:7}  {}{reason}\n", seconds(outcome.took), outcome.verdict.word(), outcome.name)
    });
    let (passed, failed) = (count("passed"), count("FAILED"));
    let skipped = chosen - passed - failed;
    format!("\n{}steps: {passed} passed, {failed} failed, {skipped} skipped\n", rows.collect::<String>())
}

fn sentence(outcome: &Outcome) -> Option<String> {
    match &outcome.verdict {
        Verdict::Failed(failure) => Some(format!("step {} failed: {failure}", outcome.name)),
        Verdict::Passed | Verdict::Skipped(_) => None,
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_refused() {
        let message = chosen(&["unit".into(), "nonsense".into()]).err().unwrap().to_string();
        assert!(message.contains("no step \"nonsense\"") && message.contains("--list"), "{message}");
    }

    #[test]
    fn chosen_steps_run_in_the_order_of_their_cost() {
        let names = |only: &[&str]| -> Vec<_> {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            chosen(&only).unwrap().iter().map(|step| step.name).collect()
        };
        assert_eq!(names(&["unit", "format"]), ["format", "unit"]);
        assert_eq!(names(&[]).len(), STEPS.len());
    }

    #[test]
    fn the_table_shows_the_slowest_first_and_counts_what_did_not_run() {
        let outcome =
            |name, secs, verdict: Verdict| Outcome { name, took: Duration::from_secs(secs), verdict };
        let mut outcomes = [
            outcome("node", 0, Verdict::Skipped("a node needs root".into())),
            outcome("format", 1, Verdict::Passed),
            outcome("lint", 62, Verdict::Failed("`cargo clippy` ended with 101".into())),
        ];
        let expected = "\n   62.0 s  FAILED   lint\n    1.0 s  passed   format\n    0.0 s  skipped  node: a node needs root\n\
                        steps: 1 passed, 1 failed, 5 skipped\n";
        assert_eq!(table(&mut outcomes, 7), expected);
        let failures: Vec<_> = outcomes.iter().filter_map(sentence).collect();
        assert_eq!(failures, ["step lint failed: `cargo clippy` ended with 101"]);
    }
}
