//! Pages about who may use which identity, each with an operator of its own that is configured as the page says.

use super::pages::blocks;
use super::stage::{CALLER, RUNTIME, place};
use super::walk::walk;
use anyhow::{Context as _, Result};
use azureml_e2e::certificate::{KEY, certificate};
use azureml_e2e::operator::SOON;
use azureml_e2e::{Scene, Setting};
use std::collections::BTreeMap;
use std::fs;

/// A stage whose operator has the configuration of the page's first block that is marked so.
fn stage(page: &str, namespaces: &[&str]) -> Result<()> {
    let page_path = format!("{}/{page}", super::pages::BOOK);
    let blocks = blocks(&page_path)?;
    let config = blocks
        .iter()
        .find(|block| block.is("config"))
        .with_context(|| format!("{page} has no configuration"))?;
    RUNTIME.block_on(async {
        let mut setting = Setting { config: format!("{}{SOON}", config.text), ..Setting::default() };
        setting.azure.apps = BTreeMap::from([(CALLER.0.to_owned(), CALLER.1.to_owned())]);
        let certificate = certificate(KEY, None)?;
        setting.azure.certificates = BTreeMap::from([(CALLER.0.to_owned(), certificate.clone())]);
        let mut scene = Scene::set("tenants", setting).await?;
        scene.start.also = namespaces.iter().map(|name| (*name).to_owned()).collect();
        let operator = scene.operator().await?;
        let place = place(&scene)?;
        fs::write(place.path().join("client.pem"), format!("{certificate}{KEY}"))?;
        let page = page.to_owned();
        tokio::task::spawn_blocking(move || walk(&place, &[page.as_str()])).await??;
        operator.stop()
    })
}

#[test]
fn a_grant_is_needed_and_is_enough() -> Result<()> {
    stage("how-to/grants.md", &["forecasting", "fraud"])
}

#[test]
fn a_client_secret_or_a_certificate_works() -> Result<()> {
    stage("how-to/client-secret.md", &["billing"])
}
