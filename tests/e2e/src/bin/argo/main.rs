//! `cargo xtask gitops --argo`: the real Argo CD and the operator's objects. First its own program judges every state by
//! the health scripts of the example; then the whole of it syncs the examples. What it said is a page of the
//! documentation; `UPDATE=1` writes it. Ends with an error where Argo CD says something else than is meant.

mod app;
mod states;
mod steps;

use anyhow::Result;
use app::Application;
use azureml_control_plane::argo::{Argo, VERSION};
use azureml_e2e::git::Repository;
use azureml_e2e::{Operator, Scene, Setting, cluster};
use std::time::Instant;

/// Everything that takes part, and what was seen so far.
struct Stage {
    scene: Scene,
    repository: Repository,
    app: Application,
    began: Instant,
    told: Vec<(String, String)>,
}

impl Stage {
    /// Notes what Argo CD said, and shows it.
    fn tell(&mut self, what: &str, said: impl Into<String>) {
        let said = said.into();
        println!("[{:5.1} s] {what}: {said}", self.began.elapsed().as_secs_f64());
        self.told.push((what.to_owned(), said));
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("building what is missing; Argo CD {VERSION} takes about eight minutes the first time");
    let judged = tokio::task::spawn_blocking(states::judge).await??;
    println!("{judged}");
    let (mut stage, argo, operator) = set().await?;
    steps::all(&mut stage).await?;
    drop(argo);
    operator.stop()?;
    let page = page(&judged, &stage.told);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(azureml_e2e::root().join("docs/src/reference/argo-cd.md"), &page)?;
    }
    Ok(())
}

async fn set() -> Result<(Stage, Argo, Operator)> {
    let scene = Scene::set("argo", Setting::default()).await?;
    let operator = scene.operator().await?;
    let repository = Repository::serve().await?;
    repository.copy("examples/r-gbm")?;
    repository.commit("Begin")?;
    let app = Application::prepare(&scene, &repository.url).await?;
    let argo = Argo::start(cluster::shared(), &[repository.port]).await?;
    Ok((Stage { scene, repository, app, began: Instant::now(), told: Vec::new() }, argo, operator))
}

fn page(judged: &str, told: &[(String, String)]) -> String {
    let rows: Vec<String> = told.iter().map(|(what, said)| format!("| {what} | {said} |")).collect();
    format!(
        "# What Argo CD said\n\n\
         <!-- Written by a run by hand: UPDATE=1 cargo xtask gitops --argo -->\n\n\
         Argo CD {VERSION}, the whole of it (application-controller, repo-server, Redis), built from its Go module, beside a\n\
         real API server, the operator and a simulated Azure. It builds for long, so this is not a part of\n\
         `cargo xtask test`: it is run by hand with `cargo xtask gitops --argo`, which fails where Argo CD says something\n\
         else than is meant. The manifests are those of [the how-to](../how-to/argo-cd.md).\n\n\
         {judged}\n\n\
         | what was done | what Argo CD said |\n|---|---|\n{}\n",
        rows.join("\n")
    )
}
