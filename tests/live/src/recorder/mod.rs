//! The recorder: a proxy on loopback between the operator and Azure, which sees what goes to and comes from Azure's hosts.
//!
//! In: connections of the operator and of the check (`ALL_PROXY`). Out: exchanges in memory. What goes to other hosts, such as
//! where tokens are given, passes unseen. Addresses in answers stay as they are, so the operator's rule of hosts is in force.

pub(crate) mod certificates;
mod exchange;
mod forward;

use self::certificates::Authority;
pub use self::exchange::{Body, Exchange};
use self::forward::Forward;
use crate::setup::Setup;
use anyhow::{Context as _, Result, bail};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What was seen, by all who ask.
#[derive(Debug)]
pub(crate) struct Seen {
    exchanges: Mutex<Vec<Exchange>>,
    count: watch::Sender<usize>,
}

impl Seen {
    fn add(&self, exchange: Exchange) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(exchange);
        self.count.send_replace(exchanges.len());
    }
}

/// A running recorder; it ends when this is dropped.
pub struct Recorder {
    address: String,
    authority: String,
    seen: Arc<Seen>,
    _serving: JoinSet<()>,
}

impl Recorder {
    /// Starts one.
    ///
    /// # Errors
    /// When no port is free or a certificate cannot be made.
    pub async fn start(setup: &Setup) -> Result<Self> {
        let authority = Authority::new().context("failed to make the recorder's certificate")?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port for the recorder")?;
        let address = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Seen { exchanges: Mutex::default(), count: watch::Sender::new(0) });
        let pem = authority.pem().to_owned();
        let forward = Arc::new(Forward::new(setup, authority, seen.clone())?);
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, forward));
        Ok(Self { address, authority: pem, seen, _serving: serving })
    }

    /// The address for `ALL_PROXY`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The certificate that has to be trusted, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What was seen so far.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.seen.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something is seen.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn wait_for(&self, limit: Duration, is_it: impl Fn(&Exchange) -> bool) -> Result<Exchange> {
        let mut count = self.seen.count.subscribe();
        let found = async {
            loop {
                if let Some(found) = self.exchanges().into_iter().find(|exchange| is_it(exchange)) {
                    return Ok(found);
                }
                count.changed().await.context("the recorder has ended")?;
            }
        };
        tokio::time::timeout(limit, found).await.context("the operator did not send it in time")?
    }
}

async fn accept(listener: TcpListener, forward: Arc<Forward>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let forward = forward.clone();
                // A connection that breaks is the client's to notice.
                connections.spawn(async move { drop(serve(stream, forward).await) });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut stream: TcpStream, forward: Arc<Forward>) -> Result<()> {
    let target = connect_target(&mut stream).await?;
    if forward.looks_into(&target) {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        return forward.serve(stream, target).await;
    }
    match TcpStream::connect(&target).await {
        Ok(mut other) => {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            tokio::io::copy_bidirectional(&mut stream, &mut other).await?;
            Ok(())
        }
        Err(error) => {
            stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await?;
            Err(error.into())
        }
    }
}

/// The longest head that is read.
const LONGEST_HEAD: usize = 8 << 10;

/// Reads `CONNECT host:port HTTP/1.1` and its headers.
async fn connect_target(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST_HEAD {
            bail!("the head of the request is too long");
        }
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split_whitespace();
    match (words.next(), words.next()) {
        (Some("CONNECT"), Some(target)) => Ok(target.to_ascii_lowercase()),
        _ => bail!("the recorder takes CONNECT alone"),
    }
}
