//! Runs a command so that nobody waits in silence: what it prints is handed on, and where it prints nothing, a line says
//! what runs, for how long, and how far cargo is. In: a command. Out: how it ended. Knows no command but cargo's bar.

use std::io::{self, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use azureml_control_plane::progress::Beat;

/// How long what is left in the pipes is waited for. What a command leaves behind keeps them open for as long as it lives.
const REST: Duration = Duration::from_secs(1);

/// What a command does.
enum Event {
    /// It printed something that was handed on.
    Spoke,
    /// Cargo's bar: how far it is.
    Far(String),
    /// One of its two outputs is closed.
    Closed,
    /// It ended.
    Ended(io::Result<ExitStatus>),
}

/// Runs it, with our input.
pub fn status(line: &str, command: &mut Command) -> anyhow::Result<ExitStatus> {
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    if is_cargo(command) {
        // Its bar says how many packages are compiled, of how many; in a pipe it is not shown unasked.
        command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "100");
        if is_terminal {
            command.env("CARGO_TERM_COLOR", "always");
        }
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to start `{line}`"))?;
    let (events, seen) = mpsc::channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    for (pipe, to) in [
        (stdout.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), Output::Stdout),
        (stderr.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), Output::Stderr(is_terminal)),
    ] {
        let events = events.clone();
        thread::spawn(move || hand_on(pipe, to, &events));
    }
    thread::spawn(move || events.send(Event::Ended(child.wait())));
    follow(line, &seen).with_context(|| format!("failed to wait for `{line}`"))
}

/// Until it has ended and said everything.
fn follow(line: &str, seen: &mpsc::Receiver<Event>) -> io::Result<ExitStatus> {
    let (began, mut beat, mut far) = (Instant::now(), Beat::default(), String::new());
    let (mut ended, mut open) = (None, 2);
    loop {
        let wait = if ended.is_some() { REST } else { beat.left(began.elapsed()) };
        let event = seen.recv_timeout(wait);
        match event {
            Ok(Event::Spoke) => beat.heard(began.elapsed()),
            Ok(Event::Far(now)) => far = now,
            Ok(Event::Closed) => open -= 1,
            Ok(Event::Ended(status)) => ended = Some(status),
            Err(RecvTimeoutError::Timeout) if ended.is_none() => {}
            Err(_) => open = 0,
        }
        if let Some(status) = ended.take_if(|_| open == 0) {
            return status;
        }
        if beat.due(began.elapsed()) {
            eprintln!("{}", word(line, &far, began.elapsed().as_secs()));
        }
    }
}

/// What is said into a silence.
fn word(line: &str, far: &str, seconds: u64) -> String {
    let far = if far.is_empty() { String::new() } else { format!(", {far}") };
    format!("still running: {line}, {seconds} s{far}")
}

/// Where an output goes; whether that is a terminal.
#[derive(Clone, Copy)]
enum Output {
    Stdout,
    Stderr(bool),
}

fn hand_on(pipe: Option<Box<dyn Read + Send>>, to: Output, events: &Sender<Event>) {
    let (mut bars, mut buffer) = (Bars::default(), [0; 8192]);
    let Some(mut pipe) = pipe else { return };
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        let read = &buffer[..length];
        let printed = match to {
            Output::Stdout => io::stdout().write_all(read).and_then(|()| io::stdout().flush()).map(|()| true),
            Output::Stderr(true) => io::stderr().write_all(read).map(|()| true),
            Output::Stderr(false) => {
                let text = bars.take(read);
                if let Some(far) = bars.far.take() {
                    let _ = events.send(Event::Far(far));
                }
                io::stderr().write_all(&text).map(|()| !text.is_empty())
            }
        };
        if matches!(printed, Ok(true)) && events.send(Event::Spoke).is_err() {
            return;
        }
    }
    let _ = events.send(Event::Closed);
}

/// Takes cargo's bars out of what it prints: each ends with a carriage return, everything else with a line feed.
#[derive(Default)]
struct Bars {
    begun: Vec<u8>,
    /// The last bar, in words.
    far: Option<String>,
}

impl Bars {
    /// What is to be printed now. What may yet become a bar waits.
    fn take(&mut self, read: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        for byte in read {
            self.begun.push(*byte);
            match byte {
                b'\n' => text.append(&mut self.begun),
                b'\r' => {
                    let bar = std::mem::take(&mut self.begun);
                    match far(&String::from_utf8_lossy(&bar)) {
                        Some(far) => self.far = Some(far),
                        None => text.extend(bar),
                    }
                }
                _ => {}
            }
        }
        // A question does not end its line.
        if !self.begun.is_empty() && !is_bar(&String::from_utf8_lossy(&self.begun)) {
            text.append(&mut self.begun);
        }
        text
    }
}

/// Whether it is a bar, or may become one.
fn is_bar(text: &str) -> bool {
    const BEGINS: &str = "Building [";
    let text = text.trim_start();
    BEGINS.starts_with(text) || text.starts_with(BEGINS)
}

/// `Building [====>    ] 45/430: kube, tokio` as words.
fn far(bar: &str) -> Option<String> {
    let (_, rest) = bar.trim().strip_prefix("Building [")?.split_once("] ")?;
    let (count, now) = rest.split_once(':').unwrap_or((rest, ""));
    let (done, whole) = count.split_once('/')?;
    let now = if now.is_empty() { String::new() } else { format!(", now{now}") };
    Some(format!("{done} of {whole} compiled{now}"))
}

fn is_cargo(command: &Command) -> bool {
    std::path::Path::new(command.get_program()).file_stem().is_some_and(|name| name == "cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_of_cargo_is_taken_out_and_said_in_words() {
        let mut bars = Bars::default();
        let printed = bars.take(b"   Compiling kube v5.0.0\n    Buil");
        let printed = [printed, bars.take(b"ding [==>   ] 45/430: kube, to")].concat();
        assert_eq!(String::from_utf8(printed).unwrap(), "   Compiling kube v5.0.0\n");
        assert_eq!(bars.far, None, "it is not whole yet");
        assert_eq!(String::from_utf8(bars.take(b"kio\r   Compiling a\n")).unwrap(), "   Compiling a\n");
        assert_eq!(bars.far.as_deref(), Some("45 of 430 compiled, now kube, tokio"));
    }

    #[test]
    fn what_is_no_bar_is_printed_at_once() {
        let mut bars = Bars::default();
        assert_eq!(bars.take(b"Go on? [y/N] "), b"Go on? [y/N] ");
        assert_eq!(bars.take(b"50 %\r"), b"50 %\r");
        assert_eq!(bars.take(b"\n"), b"\n");
        assert_eq!(bars.far, None);
    }

    #[test]
    fn a_silence_is_filled_with_what_runs_and_how_far_it_is() {
        assert_eq!(word("cargo build", "", 20), "still running: cargo build, 20 s");
        let word = word("cargo build", "45 of 430 compiled, now kube", 130);
        assert_eq!(word, "still running: cargo build, 130 s, 45 of 430 compiled, now kube");
    }

    #[test]
    fn a_command_ends_with_its_status_whatever_it_leaves_behind() {
        let mut command = Command::new("sh");
        // It holds both outputs until it has a line to read, which comes when this test has ended.
        let (reader, writer) = io::pipe().unwrap();
        command.args(["-c", "exec 3<&0; cat <&3 >/dev/null & exit 3"]).stdin(reader);
        assert_eq!(status("sh", &mut command).unwrap().code(), Some(3));
        drop(writer);
    }
}
