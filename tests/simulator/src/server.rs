//! The sockets: accepts TLS connections with HTTP/2 or HTTP/1.1, also through itself as a proxy, and turns them into plain requests.
//! It knows nothing of Azure; what a request means is decided behind `front::serve`.

use crate::front::{self, Cut};
use crate::shared::Shared;
use crate::wire::{Answer, Request};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Version};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The largest body that is read.
const LIMIT: usize = 256 * 1024 * 1024;

/// Accepts connections until the simulator stops.
pub async fn run(shared: Arc<Shared>, listener: TcpListener, tls: TlsAcceptor) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        // A connection that could not be accepted is the client's to try again.
        let Ok((stream, _)) = accepted else { continue };
        tokio::spawn(connection(Arc::clone(&shared), stream, tls.clone()));
    }
}

/// The first byte of a request for a tunnel; TLS begins with another.
const CONNECT: u8 = b'C';

/// Makes a client's proxy of the server: a tunnel to any host ends here.
async fn tunnel(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 || first != [CONNECT] {
        return Ok(());
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        head.push(stream.read_u8().await?);
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await
}

async fn connection(shared: Arc<Shared>, mut stream: TcpStream, tls: TlsAcceptor) {
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    if tunnel(&mut stream).await.is_err() {
        return;
    }
    let Ok(stream) = tls.accept(stream).await else { return };
    let stop = shared.stop.clone();
    let service = service_fn(move |request| exchange(Arc::clone(&shared), request));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(1000);
    let serve = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How a connection ends is the client's business, or a fault's.
        _ = serve => {}
        () = stop.cancelled() => {}
    }
}

async fn exchange(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LIMIT).collect().await.map_err(|_| Cut)?.to_bytes();
    answered(&shared, hyper::Request::from_parts(head, body)).await.map(|answer| answer.map(Full::new))
}

/// Answers a request that is here as a whole.
pub async fn answered(
    shared: &Arc<Shared>,
    request: hyper::Request<Bytes>,
) -> Result<hyper::Response<Bytes>, Cut> {
    let (head, body) = request.into_parts();
    let host = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let host =
        host.or_else(|| head.headers.get("host").and_then(|host| host.to_str().ok().map(str::to_owned)));
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let lacks_length = lacks_length(&head.method, head.version, &head.headers);
    let request = Request::new(head.method, &host.unwrap_or_default(), target, head.headers, body);
    let request = Request { lacks_length, ..request };
    let head_only = request.method == Method::HEAD;
    front::serve(shared, request).await.map(|answer| respond(answer, head_only))
}

/// Whether a request over HTTP/1.1 does not say how long its body is, although its method has one.
fn lacks_length(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    version < Version::HTTP_2
        && has_body
        && !headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(TRANSFER_ENCODING)
}

/// The answer to a HEAD tells the size of the body that it leaves out.
fn respond(mut answer: Answer, head_only: bool) -> hyper::Response<Bytes> {
    if head_only {
        let size = answer.body.len();
        answer.headers.entry(CONTENT_LENGTH).or_insert_with(|| size.into());
        answer.body = Bytes::new();
    }
    let mut response = hyper::Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
