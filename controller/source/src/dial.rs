//! Connections to hosts that others name, for what is not HTTP.
//!
//! In: a host and a port. Out: a connection to a public address, or the word that there is none. Says nothing on it.

use azureml_client::address::{PrivateAddress, is_public};
use futures::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Opens a connection to a host at a port: by the network, or in a test without one.
pub type Dial = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> + Send + Sync>;

/// Connections by the network: to public addresses, and to others only where they are allowed. The address that is checked is the one
/// that is connected to.
#[must_use]
pub fn by_network(allow_private: bool) -> Dial {
    Arc::new(move |host, port| Box::pin(connect(host, port, allow_private)))
}

async fn connect(host: String, port: u16, allow_private: bool) -> io::Result<Box<dyn Connection>> {
    let found = tokio::net::lookup_host((host.as_str(), port)).await?;
    let (reachable, other): (Vec<SocketAddr>, Vec<SocketAddr>) =
        found.partition(|address| allow_private || is_public(address.ip()));
    if reachable.is_empty() && !other.is_empty() {
        return Err(io::Error::other(PrivateAddress(host)));
    }
    let stream = TcpStream::connect(reachable.as_slice()).await?;
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_of_the_platform_is_refused() {
        for host in ["localhost", "127.0.0.1", "::1", "169.254.169.254"] {
            let refused = by_network(false)(host.to_owned(), 22).await.err().unwrap();
            assert!(refused.to_string().contains("private address"), "{host}: {refused}");
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(by_network(true)("localhost".to_owned(), port).await.is_ok());
    }
}
