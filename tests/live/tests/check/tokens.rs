//! Tokens for replayed requests: a recording has none.

use crate::replay::Replay;
use anyhow::Result;
use azureml_live::recording::Entry;
use azureml_live::redact::REGISTRY;
use serde_json::Value;

impl Replay {
    /// The token that goes with a request.
    pub async fn token(&mut self, entry: &Entry) -> Result<Option<String>> {
        let audience = match entry.host.as_str() {
            "blob" => return Ok(None),
            "registry" => return self.registry_token(entry).await,
            _ if entry.path.starts_with("/inference/") || entry.host.contains(".inference.") => {
                "https://ml.azure.com"
            }
            _ => "https://management.azure.com",
        };
        if let Some(token) = self.tokens.get(audience) {
            return Ok(Some(token.clone()));
        }
        let token = self.entra(audience).await?;
        self.tokens.insert(audience, token.clone());
        Ok(Some(token))
    }

    async fn entra(&self, audience: &str) -> Result<String> {
        let (endpoint, scope) = (self.azure.endpoint(), format!("{audience}/.default"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "replay"),
            ("client_secret", "s"),
            ("scope", &scope),
        ];
        let url = format!("{endpoint}/{}/oauth2/v2.0/token", self.azure.tenant_id());
        let answer: Value = self.http.post(url).form(&form).send().await?.error_for_status()?.json().await?;
        Ok(answer["access_token"].as_str().unwrap_or_default().to_owned())
    }

    /// The challenge, where that was the answer; else a token for the repository.
    async fn registry_token(&self, entry: &Entry) -> Result<Option<String>> {
        if entry.status == 401 {
            return Ok(None);
        }
        let first = self.entra("https://containerregistry.azure.net").await?;
        let service = format!("{REGISTRY}.azurecr.io");
        let repository =
            entry.path.trim_start_matches("/v2/").split("/manifests/").next().unwrap_or_default();
        let scope = format!("repository:{repository}:pull,delete");
        let exchange =
            [("grant_type", "access_token"), ("service", service.as_str()), ("access_token", first.as_str())];
        let refresh = self.form("/oauth2/exchange", &exchange, "refresh_token").await?;
        let access = [
            ("grant_type", "refresh_token"),
            ("service", service.as_str()),
            ("scope", scope.as_str()),
            ("refresh_token", refresh.as_str()),
        ];
        self.form("/oauth2/token", &access, "access_token").await.map(Some)
    }

    async fn form(&self, path: &str, form: &[(&str, &str)], key: &str) -> Result<String> {
        let answer = self.http.post(format!("{}{path}", self.azure.endpoint())).form(form).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        Ok(answer[key].as_str().unwrap_or_default().to_owned())
    }
}
