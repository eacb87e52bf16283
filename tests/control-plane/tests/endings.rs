//! Nothing outlives its owner: not after a normal end, not after SIGTERM, not after SIGKILL.
#![cfg(target_os = "linux")]
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use azureml_control_plane::Guarded;

/// The longest that any condition is waited for.
const DEADLINE: Duration = Duration::from_mins(4);

/// The processes for which `matches` says yes, of their folder in `/proc`.
fn processes(matches: impl Fn(&Path) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let matching = entries.filter(|entry| matches(&entry.path()));
    matching.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn in_folder(folder: &Path) -> Vec<u32> {
    processes(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
}

/// Those whose command line ends with `sleep <argument>`: the program, its guard and the guard's watcher.
fn around_sleep(argument: &str) -> Vec<u32> {
    let end = format!("sleep\0{argument}\0");
    processes(|process| fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.ends_with(&end)))
}

/// The program itself among them.
fn sleeping(argument: &str) -> Vec<u32> {
    let line = format!("sleep\0{argument}\0");
    processes(|process| fs::read_to_string(process.join("cmdline")).is_ok_and(|read| read == line))
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "four minutes later still not: {what}");
        std::thread::yield_now();
    }
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap().success());
}

/// A process of its own that has started a control plane, and the state folder of that.
fn owner() -> (Child, PathBuf) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_control-plane")).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let state = PathBuf::from(said["state"].as_str().unwrap());
    assert!(
        in_folder(&state).len() >= 3,
        "etcd, API server and controller manager run in {}",
        state.display()
    );
    (owner, state)
}

#[test]
fn a_control_plane_ends_when_its_owner_is_killed() {
    let (mut owner, state) = owner();
    owner.kill().unwrap();
    owner.wait().unwrap();
    until("every process has ended", || in_folder(&state).is_empty());
    until("the state folder is gone", || !state.exists());
}

#[test]
fn a_control_plane_ends_when_its_owner_is_asked_to_end() {
    let (mut owner, state) = owner();
    signal("TERM", owner.id());
    assert!(owner.wait().unwrap().success());
    assert!(in_folder(&state).is_empty(), "its processes ended first");
    assert!(!state.exists(), "{} is still there", state.display());
}

/// A sleeping process that no other test has.
fn sleep(seconds: &str) -> Guarded {
    let mut command = Command::new("sleep");
    let guarded = Guarded::spawn(command.arg(seconds), Stdio::null(), Stdio::null()).unwrap();
    until("it sleeps, guarded and watched", || {
        sleeping(seconds).len() == 1 && around_sleep(seconds).len() == 3
    });
    guarded
}

#[test]
fn a_guarded_program_ends_when_its_handle_is_dropped() {
    drop(sleep("8641"));
    assert!(sleeping("8641").is_empty());
}

#[test]
fn a_guarded_program_ends_with_its_owner_even_when_its_guard_was_killed_before() {
    let guarded = sleep("8642");
    let stat = fs::read_to_string(format!("/proc/{}/stat", sleeping("8642")[0])).unwrap();
    let guard = stat.split(' ').nth(3).unwrap().parse().unwrap();
    signal("KILL", guard);
    until("the guard is gone", || {
        fs::read_to_string(format!("/proc/{guard}/cmdline")).is_ok_and(|line| line.is_empty())
    });
    assert_eq!(sleeping("8642").len(), 1, "the program itself is still there");
    drop(guarded);
    until("the program has ended", || sleeping("8642").is_empty());
}

#[test]
fn a_guarded_program_takes_signals_and_says_how_it_ended() {
    let mut guarded = sleep("8643");
    assert_eq!(guarded.exited().unwrap(), None);
    guarded.signal("TERM");
    assert_eq!(guarded.wait().unwrap().code(), Some(128 + 15));

    let mut failing = Command::new("sh");
    let failing = Guarded::spawn(failing.args(["-c", "exit 7"]), Stdio::null(), Stdio::null());
    assert_eq!(failing.unwrap().wait().unwrap().code(), Some(7));
    let missing = Guarded::spawn(&Command::new("no-such-program"), Stdio::null(), Stdio::null());
    assert_eq!(missing.unwrap().wait().unwrap().code(), Some(127));
}

#[test]
fn a_guarded_program_has_the_environment_folder_and_output_of_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo \"$WORD in $(pwd -P)\""]).env("WORD", "a b").current_dir(folder.path());
    let mut guarded = Guarded::spawn(&command, Stdio::piped(), Stdio::null()).unwrap();
    let mut line = String::new();
    BufReader::new(guarded.stdout().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), format!("a b in {}", folder.path().canonicalize().unwrap().display()));
    assert!(guarded.wait().unwrap().success());
}
