//! The way to a collector: OTLP as protobuf over HTTP, by the client that everything else here uses too.
//!
//! In: the variables of OpenTelemetry's specification ("SDK environment variables", "OTLP exporter"). Out: a provider of
//! tracers, or none where no endpoint is named. With `args` and `identity` a reader of the environment.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::env::var;
use std::time::Duration;
use tokio::runtime::Handle;

/// The variables that name a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

fn is_set(name: &str) -> bool {
    var(name).is_ok_and(|value| !value.trim().is_empty())
}

/// Whether spans are wanted.
/// How long one attempt to send spans may take.
const ATTEMPT: Duration = Duration::from_secs(10);

fn is_wanted() -> bool {
    let is_off = var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
        || var("OTEL_TRACES_EXPORTER").is_ok_and(|value| value == "none");
    !is_off && ENDPOINTS.into_iter().any(is_set)
}

/// The provider of tracers; none where no collector is named.
///
/// # Errors
/// When the address is refused.
pub fn provider(runtime: &Handle) -> Result<Option<SdkTracerProvider>> {
    if !is_wanted() {
        return Ok(None);
    }
    // The exporter does not end an attempt: without a limit, a collector that never answers would be the last one asked.
    let http = reqwest::Client::builder()
        .timeout(ATTEMPT)
        .build()
        .context("failed to make the HTTP client for traces")?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Carrier { http, runtime: runtime.clone() })
        .build()
        .context("failed to send traces to OTEL_EXPORTER_OTLP_ENDPOINT, as protobuf over HTTP")?;
    let mut resource = Resource::builder();
    if !is_set("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name("azureml-operator");
    }
    let resource =
        resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
    Ok(Some(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
}

/// Spans are sent from a thread of their own, which has no runtime: what it sends is sent by ours.
#[derive(Debug)]
struct Carrier {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, bytes) = sent.await??;
        let mut answer = Response::new(bytes);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}
