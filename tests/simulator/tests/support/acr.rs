//! A registry of a frozen simulator, and what tests ask of it.

use super::{Answer, Sim, answer};
use azureml_simulator::Options;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::Write as _;

/// A registry.
pub struct Acr {
    pub sim: Sim,
    pub id: String,
    pub login: String,
}

impl Acr {
    pub async fn new(options: Options) -> Self {
        let sim = Sim::with(Options { virtual_clock: true, ..options }).await;
        let workspace = sim.get(&sim.workspace()).await.body;
        let id = workspace["properties"]["containerRegistry"].as_str().unwrap().to_owned();
        let registry = sim.get(&format!("{id}?api-version=2025-11-01")).await.body;
        Self { login: registry["properties"]["loginServer"].as_str().unwrap().to_owned(), sim, id }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.sim.send(method, &format!("{}/{path}{mark}api-version=2025-03-01-preview", self.id), body).await
    }

    /// Uploads an archive, and returns its relative path.
    pub async fn upload(&self, files: &[(&str, &str)]) -> String {
        let slot = self.call(Method::POST, "listBuildSourceUploadUrl", None).await.body;
        let mut archive =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let mut gzip = archive.into_inner().unwrap();
        gzip.flush().unwrap();
        let put =
            self.sim.http.put(slot["uploadUrl"].as_str().unwrap()).header("x-ms-blob-type", "BlockBlob");
        assert_eq!(put.body(gzip.finish().unwrap()).send().await.unwrap().status(), StatusCode::CREATED);
        slot["relativePath"].as_str().unwrap().to_owned()
    }

    pub async fn request(&self, dockerfile: &str) -> Value {
        let source = self.upload(&[("Dockerfile", dockerfile), ("src/a.R", "1")]).await;
        json!({ "type": "DockerBuildRequest", "dockerFilePath": "Dockerfile", "sourceLocation": source,
                "platform": { "os": "Linux", "architecture": "amd64" }, "imageNames": ["op/ns/env:h12"] })
    }

    pub async fn task_run(&self, name: &str, request: &Value, force: Option<&str>) -> Answer {
        let mut body = json!({ "location": "westeurope", "properties": { "runRequest": request } });
        if let Some(force) = force {
            body["properties"]["forceUpdateTag"] = json!(force);
        }
        self.call(Method::PUT, &format!("taskRuns/{name}"), Some(&body)).await
    }

    /// A registry's access token for a scope.
    pub async fn token(&self, scope: &str) -> String {
        let base = self.sim.simulator.endpoint();
        let aad = self.sim.token_for("test-app", "https://containerregistry.azure.net/.default").await;
        let post = async |path: &str, form: &[(&str, &str)]| {
            answer(self.sim.http.post(format!("{base}/oauth2/{path}")).form(form).send().await.unwrap()).await
        };
        let exchange = [("grant_type", "access_token"), ("service", &self.login), ("access_token", &aad)];
        let refresh = post("exchange", &exchange).await.body["refresh_token"].as_str().unwrap().to_owned();
        let form = [
            ("grant_type", "refresh_token"),
            ("service", &self.login),
            ("scope", scope),
            ("refresh_token", &refresh),
        ];
        post("token", &form).await.body["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn manifest(&self, method: Method, repository: &str, reference: &str, token: &str) -> Answer {
        let base = self.sim.simulator.endpoint();
        let url = format!("{base}/v2/{repository}/manifests/{reference}?ns={}", self.login);
        answer(self.sim.http.request(method, url).bearer_auth(token).send().await.unwrap()).await
    }
}
