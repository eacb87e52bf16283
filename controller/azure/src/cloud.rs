//! A cloud: its endpoints, its audiences, and the hosts that may see a bearer token.
//!
//! In: configuration. Out: endpoints, and a yes or no for every host that an answer names. Sends nothing.

use crate::error::Error;
use url::Url;

/// An Azure cloud: public, sovereign, or another that speaks the same protocol.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The name that manifests use, such as `AzurePublic`.
    pub name: String,
    /// Microsoft Entra ID, such as `https://login.microsoftonline.com`.
    pub authority: String,
    /// Azure Resource Manager, such as `https://management.azure.com`.
    pub resource_manager: Url,
    /// Audience of tokens for Resource Manager.
    pub resource_manager_audience: String,
    /// Audience of tokens for Azure Machine Learning.
    pub machine_learning_audience: String,
    /// Audience of tokens for Azure Container Registry.
    pub registry_audience: String,
    /// Audience of tokens for blobs.
    pub storage_audience: String,
    /// Hosts of blobs that may see a token for them: `*.blob.core.windows.net`. They see no other token.
    pub storage_hosts: Vec<String>,
    /// Hosts that may see a bearer token: `management.azure.com`, `*.api.azureml.ms`, `127.0.0.1:4433`.
    pub hosts: Vec<String>,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Azure Resource Manager, and the data plane of Azure ML that takes its tokens (run history).
    ResourceManager,
    /// Azure Machine Learning: the header `x-azureml-token`.
    MachineLearning,
    /// Azure Container Registry.
    Registry,
    /// Azure Blob Storage.
    Storage,
}

impl Cloud {
    /// The scope to ask a token for.
    #[must_use]
    pub fn scope(&self, audience: Audience) -> String {
        let audience = match audience {
            Audience::ResourceManager => &self.resource_manager_audience,
            Audience::MachineLearning => &self.machine_learning_audience,
            Audience::Registry => &self.registry_audience,
            Audience::Storage => &self.storage_audience,
        };
        format!("{}/.default", audience.trim_end_matches('/'))
    }

    /// Whether a token may be sent to this address.
    ///
    /// # Errors
    /// [`Error::ForeignHost`] when the address is not HTTPS, names a user, or its host is not one of the cloud's.
    pub fn trust(&self, url: &Url) -> Result<(), Error> {
        self.trust_among(&self.hosts, url)
    }

    /// Whether a token for blobs may be sent to this address.
    ///
    /// # Errors
    /// As [`Cloud::trust`], for the hosts of blobs.
    pub fn trust_storage(&self, url: &Url) -> Result<(), Error> {
        self.trust_among(&self.storage_hosts, url)
    }

    fn trust_among(&self, hosts: &[String], url: &Url) -> Result<(), Error> {
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let names_a_user = !url.username().is_empty() || url.password().is_some();
        if url.scheme() == "https"
            && !names_a_user
            && hosts.iter().any(|pattern| matches(pattern, &with_port))
        {
            return Ok(());
        }
        Err(Error::ForeignHost { host: format!("{}://{with_port}", url.scheme()), cloud: self.name.clone() })
    }
}

/// Whether a host is meant by a pattern: equal, or below `*.`; a port must be equal, and 443 is not written.
fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> Cloud {
        Cloud {
            name: "AzurePublic".into(),
            authority: "https://login.microsoftonline.com".into(),
            resource_manager: Url::parse("https://management.azure.com").unwrap(),
            resource_manager_audience: "https://management.azure.com".into(),
            machine_learning_audience: "https://ml.azure.com".into(),
            registry_audience: "https://containerregistry.azure.net".into(),
            storage_audience: "https://storage.azure.com".into(),
            storage_hosts: vec!["*.blob.core.windows.net".into()],
            hosts: vec!["management.azure.com".into(), "*.api.azureml.ms".into(), "127.0.0.1:4433".into()],
        }
    }

    #[test]
    fn a_token_for_blobs_goes_to_blobs_of_the_cloud_alone() {
        let cases = [
            ("https://account.blob.core.windows.net:443/c/b", true),
            ("https://blob.core.windows.net/c/b", false),
            ("https://account.blob.core.windows.net.evil.example/c/b", false),
            ("https://evilblob.core.windows.net/c/b", false),
            ("https://account.blob.core.chinacloudapi.cn/c/b", false),
            ("http://account.blob.core.windows.net/c/b", false),
            ("https://management.azure.com/c/b", false),
        ];
        for (url, trusted) in cases {
            assert_eq!(cloud().trust_storage(&Url::parse(url).unwrap()).is_ok(), trusted, "{url}");
        }
        assert!(cloud().trust(&Url::parse("https://account.blob.core.windows.net/").unwrap()).is_err());
        assert_eq!(cloud().scope(Audience::Storage), "https://storage.azure.com/.default");
    }

    #[test]
    fn tokens_go_to_the_hosts_of_the_cloud_and_to_nobody_else() {
        let cases = [
            ("https://management.azure.com/subscriptions", true),
            ("https://MANAGEMENT.azure.com/", true),
            ("https://westeurope.api.azureml.ms/history", true),
            ("https://127.0.0.1:4433/x", true),
            ("http://management.azure.com/", false),
            ("https://management.azure.com:8443/", false),
            ("https://management.azure.com.evil.example/", false),
            ("https://evilapi.azureml.ms/", false),
            ("https://api.azureml.ms/", false),
            ("https://127.0.0.1/x", false),
            ("https://user@evil.example/?management.azure.com", false),
            ("https://management.azure.com@evil.example/", false),
            ("https://user:word@management.azure.com/", false),
            ("https://management.azure.com\u{3002}evil.example/", false),
            ("https://\u{217F}anagement.azure.com/", true),
            ("https://m\u{430}nagement.azure.com/", false),
        ];
        for (url, trusted) in cases {
            assert_eq!(cloud().trust(&Url::parse(url).unwrap()).is_ok(), trusted, "{url}");
        }
    }
}
