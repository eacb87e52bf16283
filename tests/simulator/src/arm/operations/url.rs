//! Ids and URLs of operations. Those of clusters and registries are signed since 2023 and up to 4,000 characters long.

use super::{Operation, Service};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Where the operation of a task run is kept: its id is that of the run, which is unique in one registry alone.
pub fn key(resource: &str, id: &str) -> String {
    format!("{resource}/operationStatuses/{id}").to_ascii_lowercase()
}

/// The id of an operation. `workspace` is the id that Azure gave the workspace, `random` a new UUID.
pub fn id(service: Service, workspace: &str, resource: &str, random: &str) -> String {
    let name = resource.rsplit('/').next().unwrap_or_default();
    match service {
        Service::Compute | Service::Registry => random.to_owned(),
        Service::Schedule => format!("s:{workspace}:{}", noise(random, 43)),
        Service::Endpoint => format!("be:{workspace}:{random}"),
        Service::Deployment => format!("bd:{workspace}:{random}"),
        Service::Job => format!("jc:{workspace}:{name}"),
    }
}

/// Characters of base64 for URLs that depend on `seed` alone.
fn noise(seed: &str, length: usize) -> String {
    let blocks = (0..).map(|block: u32| URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{seed}/{block}"))));
    blocks.take(length / 43 + 1).collect::<String>().chars().take(length).collect()
}

/// The parameters by which the resource manager signs a URL: time, certificate, signature and hash.
fn signature(operation: &Operation) -> String {
    let seed = |part: &str| format!("{}/{part}", operation.id);
    let ticks = (operation.started.as_nanosecond() / 100).saturating_add(621_355_968_000_000_000);
    format!(
        "&t={ticks}&c={}&s={}&h={}",
        noise(&seed("c"), 2600),
        noise(&seed("s"), 342),
        noise(&seed("h"), 43)
    )
}

impl Operation {
    /// The path of the place that all operations of a region are below.
    pub(super) fn location(&self) -> String {
        let subscription = self.resource.split('/').nth(2).unwrap_or_default();
        let provider = "Microsoft.MachineLearningServices";
        format!("/subscriptions/{subscription}/providers/{provider}/locations/{}", self.region)
    }

    /// The two URLs: the status, and the result.
    pub(super) fn urls(&self, base: &str, api_version: &str) -> (String, String) {
        let service = self.work.service();
        let (status, result) = service.paths();
        let place = if service == Service::Registry { self.resource.clone() } else { self.location() };
        let more = match service {
            Service::Compute => format!("&service=new{}", signature(self)),
            Service::Registry => signature(self),
            Service::Schedule | Service::Endpoint | Service::Deployment | Service::Job => String::new(),
        };
        let url = |kind: &str| format!("{base}{place}/{kind}/{}?api-version={api_version}{more}", self.id);
        (url(status), url(result))
    }
}
