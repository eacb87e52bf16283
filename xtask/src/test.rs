//! `cargo xtask test`: runs the steps, says which and how long, and ends with a table, the slowest first.
//! First those that take their turn alone, one after another, then the others side by side.
//! In: which steps. Out: success, or the first failure. May not know what a step does.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::busy;
use crate::lanes::{self, Done, Task};
use crate::steps::{STEPS, Step, Turn};
use crate::tools;
use crate::workspace::Workspace;

/// Runs every check of the project.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run only this step; can be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Run only what is quick, for each commit: format, lint, generated files, unit tests.
    #[arg(long, conflicts_with = "only")]
    quick: bool,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// How many commands run side by side, of those that may. Default: two for each core, and no more than eight.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    lanes: Option<u8>,
    /// List the steps and run none.
    #[arg(long, exclusive = true)]
    list: bool,
}

/// The steps of `--quick`.
const QUICK: [&str; 4] = ["format", "lint", "generated", "unit"];
/// The steps whose time is the compiler's.
const COMPILING: [&str; 5] = ["lint", "build", "docs", "alone", "release"];

/// How a step went.
struct Outcome {
    name: &'static str,
    took: Duration,
    /// How long its commands kept processors busy, where that is known of it alone.
    busy: Option<Duration>,
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
    let began = Instant::now();
    let quick = QUICK.map(str::to_owned);
    let steps = chosen(if arguments.quick { &quick } else { &arguments.only })?;
    check_tools(&steps)?;
    let mut outcomes = carry_out(arguments, &steps, &Workspace::load()?);
    let ended = Ended { chosen: steps.len(), took: began.elapsed(), busy: busy::children() };
    print!("{}", table(&mut outcomes, &ended));
    let failures: Vec<_> = outcomes.iter().filter_map(sentence).collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn carry_out(arguments: &Arguments, steps: &[&Step], workspace: &Workspace) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for step in steps.iter().filter(|step| step.turn == Turn::Alone) {
        let outcome = alone(step, workspace);
        let failed = matches!(outcome.verdict, Verdict::Failed(_));
        outcomes.push(outcome);
        if failed && !arguments.keep_going {
            return outcomes;
        }
    }
    let mut tasks = Vec::new();
    for step in steps.iter().filter(|step| step.turn == Turn::Beside) {
        match commands_of(step, workspace) {
            Ok(commands) => {
                tasks.extend(commands.into_iter().map(|command| Task { step: step.name, command }));
            }
            Err(verdict) => {
                outcomes.push(Outcome { name: step.name, took: Duration::ZERO, busy: None, verdict });
            }
        }
    }
    let planned: Vec<_> = tasks.iter().map(|task| task.step).collect();
    let folder = workspace.target.join("said");
    let done = lanes::run(tasks, &folder, count(arguments.lanes), arguments.keep_going);
    outcomes.extend(gathered(&planned, &done));
    outcomes
}

/// What a step is to run beside others, or why it does not.
fn commands_of(step: &Step, workspace: &Workspace) -> Result<Vec<Command>, Verdict> {
    println!("\n=== {}: {}", step.name, step.shows);
    if let Some(reason) = (step.unavailable)() {
        println!("skipped: {reason}");
        return Err(Verdict::Skipped(reason));
    }
    (step.commands)(workspace).map_err(|error| Verdict::Failed(format!("{error:#}")))
}

/// How many lanes: what runs in one mostly waits. It takes less than half a core (the situations 46 s of their 120 s), and half a
/// GiB of memory.
fn count(given: Option<u8>) -> usize {
    let of_cores = || thread::available_parallelism().map_or(2, |cores| (2 * cores.get()).min(8));
    given.map_or_else(of_cores, usize::from)
}

/// What became of the steps whose commands ran side by side: failed when one of them failed, passed when all passed,
/// and nothing when some did not run. The time is that of its commands together.
fn gathered(planned: &[&'static str], done: &[Done]) -> Vec<Outcome> {
    let mut steps = planned.to_vec();
    steps.dedup();
    let outcome = |name| {
        let of_step: Vec<_> = done.iter().filter(|one| one.step == name).collect();
        let failures: Vec<_> = of_step
            .iter()
            .filter_map(|one| one.result.as_ref().err())
            .map(|error| format!("{error:#}"))
            .collect();
        let is_whole = of_step.len() == planned.iter().filter(|step| **step == name).count();
        let verdict = match failures.is_empty() {
            false => Verdict::Failed(failures.join("; ")),
            true if is_whole => Verdict::Passed,
            true => return None,
        };
        Some(Outcome { name, took: of_step.iter().map(|one| one.took).sum(), busy: None, verdict })
    };
    steps.into_iter().filter_map(outcome).collect()
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

fn alone(step: &Step, workspace: &Workspace) -> Outcome {
    println!("\n=== {}: {}", step.name, step.shows);
    let (started, before) = (Instant::now(), busy::children());
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
    let busy = busy::children().zip(before).map(|(after, before)| after.saturating_sub(before));
    Outcome { name: step.name, took, busy, verdict }
}

fn commands(step: &Step, workspace: &Workspace) -> anyhow::Result<()> {
    for mut command in (step.commands)(workspace)? {
        println!("$ {}", tools::line(&command));
        tools::run(&mut command)?;
    }
    Ok(())
}

/// How all of it went.
struct Ended {
    /// How many steps were to run.
    chosen: usize,
    took: Duration,
    /// How long everything kept processors busy, where the system tells.
    busy: Option<Duration>,
}

fn table(outcomes: &mut [Outcome], ended: &Ended) -> String {
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    let count = |word| outcomes.iter().filter(|outcome| outcome.verdict.word() == word).count();
    let rows = outcomes.iter().map(|outcome| {
        let reason = match &outcome.verdict {
            Verdict::Skipped(reason) => format!(": {reason}"),
            Verdict::Passed | Verdict::Failed(_) => String::new(),
        };
        format!("{:>9}  {:7}  {}{reason}\n", seconds(outcome.took), outcome.verdict.word(), outcome.name)
    });
    let (passed, failed, rows) = (count("passed"), count("FAILED"), rows.collect::<String>());
    let skipped = ended.chosen - passed - failed;
    let of_compiler = || outcomes.iter().filter(|outcome| COMPILING.contains(&outcome.name));
    let compiling = seconds(of_compiler().map(|outcome| outcome.took).sum());
    let busy = ended.busy.map_or_else(String::new, |all| {
        let compiling = seconds(of_compiler().filter_map(|outcome| outcome.busy).sum());
        format!("; processors were busy for {}, of them {compiling} compiling", seconds(all))
    });
    let counts =
        format!("{passed} passed, {failed} failed, {skipped} skipped; together {}", seconds(ended.took));
    format!("\n{rows}steps: {counts}, of them {compiling} compiling{busy}\n")
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
    fn chosen_steps_keep_their_order() {
        let names = |only: &[&str]| -> Vec<_> {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            chosen(&only).unwrap().iter().map(|step| step.name).collect()
        };
        assert_eq!(names(&["unit", "format"]), ["format", "unit"]);
        assert_eq!(names(&[]).len(), STEPS.len());
        assert_eq!(names(&QUICK), QUICK);
        assert_eq!(names(&COMPILING), COMPILING);
    }

    #[test]
    fn the_table_shows_the_slowest_first_and_counts_what_did_not_run() {
        let outcome = |name, secs, verdict: Verdict| Outcome {
            name,
            took: Duration::from_secs(secs),
            busy: Some(Duration::from_secs(2 * secs)),
            verdict,
        };
        let mut outcomes = [
            outcome("node", 0, Verdict::Skipped("a node needs root".into())),
            outcome("format", 1, Verdict::Passed),
            outcome("lint", 62, Verdict::Failed("`cargo clippy` ended with 101".into())),
        ];
        let expected = "\n   62.0 s  FAILED   lint\n    1.0 s  passed   format\n    0.0 s  skipped  node: a node needs root\n\
                        steps: 1 passed, 1 failed, 5 skipped; together 63.0 s, of them 62.0 s compiling; \
                        processors were busy for 130.0 s, of them 124.0 s compiling\n";
        let ended = Ended { chosen: 7, took: Duration::from_secs(63), busy: Some(Duration::from_secs(130)) };
        assert_eq!(table(&mut outcomes, &ended), expected);
        let failures: Vec<_> = outcomes.iter().filter_map(sentence).collect();
        assert_eq!(failures, ["step lint failed: `cargo clippy` ended with 101"]);
    }

    #[test]
    fn a_step_whose_commands_ran_side_by_side_passes_when_all_of_them_did() {
        let done = |step, result| Done { step, took: Duration::from_secs(2), result };
        let failed = || Err(anyhow::anyhow!("`b` ended with 1"));
        let all = [done("a", Ok(())), done("b", Ok(())), done("b", failed()), done("c", Ok(()))];
        let outcomes = gathered(&["a", "b", "b", "c", "c", "d"], &all);
        let seen: Vec<_> =
            outcomes.iter().map(|of| (of.name, of.took.as_secs(), of.verdict.word())).collect();
        assert_eq!(seen, [("a", 2, "passed"), ("b", 4, "FAILED")], "c and d did not run, or not wholly");
    }
}
