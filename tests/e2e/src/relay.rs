//! The way from the operator to a server, which a test can block: connections hang, or are refused.
//! In: where it leads, or a proxy's request that says so. Out: bytes, unchanged. Ends with the runtime that it is made in.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It arrives.
    Open,
    /// It stays where it is, on connections that are there and on new ones: a network that loses everything.
    Hanging,
    /// What is sent on connections of before stays where it is for ever; new ones are as if nothing had been.
    Forgotten,
    /// Connections are closed, and new ones refused: nobody listens.
    Refused,
}

/// A relay on loopback.
pub struct Relay {
    address: SocketAddr,
    way: watch::Sender<Way>,
    asked: Asked,
}

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

impl Relay {
    /// One that leads to a server.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn to(server: SocketAddr) -> Result<Self> {
        Self::start(Some(server)).await
    }

    /// An HTTP proxy that serves `CONNECT` and nothing else.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn proxy() -> Result<Self> {
        Self::start(None).await
    }

    async fn start(server: Option<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (way, told) = watch::channel(Way::Open);
        let asked = Asked::default();
        tokio::spawn(listen(listener, address, server, told, asked.clone()));
        Ok(Self { address, way, asked })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Blocks it, or opens it again.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// The first lines of what a proxy was asked for: `CONNECT host:port HTTP/1.1`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn listen(
    first: TcpListener,
    address: SocketAddr,
    server: Option<SocketAddr>,
    mut way: watch::Receiver<Way>,
    asked: Asked,
) -> Result<()> {
    let mut listener = Some(first);
    loop {
        if *way.borrow_and_update() == Way::Refused {
            drop(listener.take());
            way.changed().await?;
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => TcpListener::bind(address).await?,
        };
        tokio::select! {
            accepted = open.accept() => {
                let is_new = *way.borrow() == Way::Forgotten;
                tokio::spawn(carry(accepted?.0, is_new, server, way.clone(), asked.clone()));
            }
            changed = way.changed() => changed?,
        }
        listener = Some(open);
    }
}

/// One connection, from its beginning to its end.
async fn carry(
    mut near: TcpStream,
    is_new: bool,
    server: Option<SocketAddr>,
    mut way: watch::Receiver<Way>,
    asked: Asked,
) -> Result<()> {
    way.wait_for(|way| *way != Way::Hanging).await?;
    let mut far = match server {
        Some(server) => TcpStream::connect(server).await?,
        None => tunnel(&mut near, &asked).await?,
    };
    let mut carried = std::pin::pin!(copy_bidirectional(&mut near, &mut far));
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Refused => return Ok(()),
            Way::Hanging => {}
            Way::Forgotten if !is_new => {}
            Way::Open | Way::Forgotten => {
                tokio::select! {
                    ended = &mut carried => return ended.map(drop).map_err(Into::into),
                    changed = way.changed() => changed?,
                }
                continue;
            }
        }
        // Nothing is read, so nothing moves.
        way.changed().await?;
    }
}

/// Reads the request for a tunnel, and makes it.
async fn tunnel(near: &mut TcpStream, asked: &Asked) -> Result<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let first = head.lines().next().unwrap_or_default();
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(first.to_owned());
    let Some(target) = first.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
        near.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await?;
        bail!("the proxy was asked for {first:?}");
    };
    let far = TcpStream::connect(target).await.with_context(|| format!("failed to reach {target}"))?;
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    Ok(far)
}
