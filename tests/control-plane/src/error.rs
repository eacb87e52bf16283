//! What can go wrong on the way to a running control plane, in words that name the remedy.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that has to be there is not.
    #[error("{what}; {remedy}")]
    Missing {
        /// What was looked for, and what was found instead.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// A file or folder could not be read or written.
    #[error("failed to {verb} {}", path.display())]
    File {
        /// What was attempted.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file could not be had from its server, or is not the one that is pinned.
    #[error("failed to download {url}: {reason}")]
    Download {
        /// Its address.
        url: String,
        /// What the server did, or what is wrong with the file.
        reason: String,
    },
    /// A program could not be started at all.
    #[error("failed to start {program:?}")]
    Spawn {
        /// The program as it was named.
        program: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("{what} failed ({status}), its last lines:\n{tail}")]
    Failed {
        /// What the program was to do.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its output.
        tail: String,
    },
    /// A part of the control plane ended before it was ready.
    #[error("{part} ended before it was ready ({status}); last lines of {}:\n{tail}", log.display())]
    Ended {
        /// The program.
        part: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log, which is kept.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// A part of the control plane took longer than it may.
    #[error("{part} was not ready after {waited:?}: {answer}; last lines of {}:\n{tail}", log.display())]
    NotReady {
        /// The program.
        part: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// What it answered last.
        answer: String,
        /// Its whole log, which is kept.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// A certificate could not be made.
    #[error("failed to make a certificate for {subject:?}")]
    Certificate {
        /// Whose certificate.
        subject: String,
        /// The reason.
        source: rcgen::Error,
    },
    /// A manifest or kubeconfig could not be read.
    #[error("failed to read {}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The API server refused a request, or could not be reached.
    #[error("failed to {verb}")]
    Kube {
        /// What was attempted.
        verb: String,
        /// The answer, boxed because it is large.
        source: Box<kube::Error>,
    },
    /// A condition did not come true in time.
    #[error("{what} did not happen within {waited:?}")]
    Late {
        /// The condition.
        what: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl Error {
    /// For `map_err` on anything that touches a file.
    pub(crate) fn file(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }

    /// For `map_err` on a request to the API server.
    pub(crate) fn kube(verb: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let verb = verb.into();
        move |source| Self::Kube { verb, source: Box::new(source) }
    }
}
