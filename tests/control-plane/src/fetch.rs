//! One file from a public server: with time limits, progress, and a pinned SHA-256.
//! In: an address, a sum, a place. Out: the file there, or why not: then nothing is left there.
//! May not decide what happens instead.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use sha2::{Digest as _, Sha256};

use crate::cache::hex;
use crate::error::{Error, Result};
use crate::progress::Beat;
use crate::say;

/// How long a server may keep us waiting. A build from source takes minutes, so that nobody is to wait for a download
/// that goes nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until the head of its answer is there, redirects included.
    pub(crate) answer: Duration,
    /// Between two pieces of the body.
    pub(crate) piece: Duration,
    /// For the whole body, as the speed so far foretells it.
    pub(crate) body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let answer = Duration::from_secs(8);
        Self { answer, piece: Duration::from_secs(12), body: Duration::from_mins(5) }
    }
}

/// No speed is judged by what came earlier than this.
const JUDGED_AFTER: Duration = Duration::from_secs(20);

/// Downloads a file. Blocks, also where no runtime may be started.
pub(crate) fn fetch(url: &str, sha256: &str, into: &Path, limits: Limits) -> Result<()> {
    let failed = |reason: String| Error::Download { url: url.to_owned(), reason };
    let fetched = std::thread::scope(|scope| {
        let fetching = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| failed(error.to_string()))?;
            runtime.block_on(receive(url, into, limits))
        });
        fetching.join().unwrap_or_else(|_| Err(failed("the download ended early".into())))
    });
    let checked = fetched.and_then(|found| {
        let is_right = found == sha256;
        is_right
            .then_some(())
            .ok_or_else(|| failed(format!("its SHA-256 is {found}, and {sha256} is pinned")))
    });
    checked.inspect_err(|_| drop(fs::remove_file(into)))
}

/// Writes the body, and gives its SHA-256.
async fn receive(url: &str, into: &Path, limits: Limits) -> Result<String> {
    let failed = |reason: String| Error::Download { url: url.to_owned(), reason };
    let answer = tokio::time::timeout(limits.answer, ask(url)).await;
    let late = |_| failed(format!("no answer within {} s", limits.answer.as_secs_f32()));
    let mut response = answer.map_err(late)?.map_err(|error| failed(chain(&error)))?;
    let mut file = File::create(into).map_err(Error::file("create", into))?;
    let (mut hash, mut body) = (Sha256::new(), Body::new(response.content_length()));
    loop {
        let piece = tokio::time::timeout(limits.piece, response.chunk()).await;
        let stalled = |_| failed(format!("nothing came for {} s after {body}", limits.piece.as_secs_f32()));
        let piece = piece.map_err(stalled)?;
        let Some(piece) = piece.map_err(|error| failed(format!("{} after {body}", chain(&error))))? else {
            return Ok(hex(&hash.finalize()));
        };
        hash.update(&piece);
        file.write_all(&piece).map_err(Error::file("write", into))?;
        body.grows(piece.len());
        if body.beat.due(body.began.elapsed()) {
            say(&format!("{url}: {body}, {} s", body.began.elapsed().as_secs()));
        }
        if let Some(minutes) = too_slow(body.received, body.whole, body.began.elapsed(), limits.body) {
            return Err(failed(format!("too slow: it would take {minutes} minutes, after {body}")));
        }
    }
}

async fn ask(url: &str) -> reqwest::Result<Response> {
    // Without a provider of cryptography the client would not start; another one that is installed is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().build()?.get(url).send().await?.error_for_status()
}

/// What is there of a body.
struct Body {
    received: u64,
    whole: Option<u64>,
    began: Instant,
    beat: Beat,
}

impl Body {
    fn new(whole: Option<u64>) -> Self {
        Self { received: 0, whole, began: Instant::now(), beat: Beat::default() }
    }

    fn grows(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }
}

impl std::fmt::Display for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        match self.whole {
            Some(whole) => write!(f, "{} of {} MB", megabytes(self.received), megabytes(whole)),
            None => write!(f, "{} MB", megabytes(self.received)),
        }
    }
}

/// The minutes that a body would take, where that is too long.
fn too_slow(received: u64, whole: Option<u64>, after: Duration, most: Duration) -> Option<u64> {
    let whole = whole.filter(|_| after >= JUDGED_AFTER)?;
    let seconds = after.as_secs().saturating_mul(whole) / received.max(1);
    (seconds > most.as_secs()).then_some(seconds / 60)
}

/// An error with its causes: the first line of a client's error rarely says why.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_that_would_take_longer_than_a_build_is_given_up() {
        let most = Duration::from_mins(5);
        let after = |seconds| Duration::from_secs(seconds);
        assert_eq!(too_slow(1_000_000, Some(60_000_000), after(30), most), Some(30));
        assert_eq!(too_slow(0, Some(60_000_000), after(30), most), Some(30_000_000));
        assert_eq!(too_slow(6_000_000, Some(60_000_000), after(30), most), None, "five minutes");
        assert_eq!(too_slow(1, Some(60_000_000), after(19), most), None, "too early to say");
        assert_eq!(too_slow(1, None, after(600), most), None, "nobody knows how much is left");
    }

    #[test]
    fn what_is_there_of_a_body_is_said_in_megabytes() {
        let body = Body { received: 1_500_000, ..Body::new(Some(72_000_000)) };
        assert_eq!(body.to_string(), "2 of 72 MB");
        assert_eq!(Body { received: 900, ..Body::new(None) }.to_string(), "1 MB");
    }
}
