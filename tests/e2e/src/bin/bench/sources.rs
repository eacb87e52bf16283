//! Files from elsewhere: how much memory large ones take, and how soon many small ones are registered.
//!
//! Not measured here: a network. The servers are on loopback.

use crate::figures::Figures;
use crate::measure::{Budget, all_ready, azure, metric, number, requests, scene_with};
use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use azureml_crds::MLPipeline;
use azureml_e2e::Scene;
use azureml_e2e::git_server::{GitServer, serve};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::time::Instant;

/// The bytes of one large file.
const LARGE: usize = 50 << 20;

const BASE: &str = "apiVersion: azureml.dev/v1alpha1\nkind: MLEnvironment\nmetadata: {name: python}\n\
     spec: {workspaceRef: {name: team-a}, image: 'python:3.12-slim'}\n";

fn pipeline(name: &str, source: &str) -> String {
    format!(
        "---\napiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: {name}}}\nspec: {{workspaceRef: {{name: team-a}}, \
         defaults: {{compute: {{ref: cpu}}, environment: {{ref: python}}, code: {{{source}}}}}, steps: [{{name: only, command: ls}}]}}\n"
    )
}

/// A tar archive with one file that no other archive has, and that does not compress: xorshift.
fn archive(number: u64) -> Result<Vec<u8>> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64 ^ number;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let content: Vec<u8> = std::iter::repeat_with(next).flatten().take(LARGE).collect();
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(content.len())?);
    header.set_mode(0o644);
    let mut tar = tar::Builder::new(Vec::with_capacity(LARGE + 4096));
    tar.append_data(&mut header, "model.bin", content.as_slice())?;
    Ok(tar.into_inner()?)
}

async fn answer(Path(number): Path<u64>) -> Result<Vec<u8>, StatusCode> {
    archive(number).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// A scene whose operator trusts a server, with a place on disk for what Azure keeps.
async fn set(ca_file: &std::path::Path, host: &str, kept: &tempfile::TempDir) -> Result<Scene> {
    let mut azure = azure(false);
    azure.dir = Some(kept.path().to_owned());
    let more = format!(
        "caFile: '{}'\nsources: {{hosts: [{{namespaces: ['*'], hosts: ['{host}']}}]}}\n",
        ca_file.display()
    );
    scene_with(azure, "10m", Budget::Lifted, &more).await
}

async fn begun(scene: &Scene) -> Result<()> {
    for file in ["workspace", "computes"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    scene.apply(BASE).await.map(drop)
}

/// So many pipelines, each with a file of 50 MiB from an archive.
pub async fn large(figures: &mut Figures, count: usize) -> Result<()> {
    let (address, certificate) = serve(Router::new().route("/{number}", axum::routing::get(answer))).await?;
    let folder = tempfile::tempdir()?;
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, certificate)?;
    let kept = tempfile::tempdir()?;
    let scene = set(&ca_file, address.trim_start_matches("https://"), &kept).await?;
    let operator = scene.operator().await?;
    begun(&scene).await?;
    let mut manifests = String::new();
    for number in 0..u64::try_from(count)? {
        let sum = format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(archive(number)?)));
        let source = format!("http: {{url: '{address}/{number}', sha256: '{sum}'}}");
        let _ = write!(manifests, "{}", pipeline(&format!("p{number}"), &source));
    }
    let start = Instant::now();
    scene.apply(&manifests).await?;
    let ready = all_ready::<MLPipeline>(&scene, count).await?;
    let what = format!("{count} pipelines with 50 MiB of code each");
    figures.take(format!("{what}: apply to all Ready"), "s", ready.duration_since(start).as_secs_f64());
    let peak = number(usize::try_from(operator.peak_memory()? >> 10)?) / 1024.0;
    figures.take(format!("{what}: peak memory"), "MiB", peak);
    let seconds = metric(&operator, "process_cpu_seconds").await?;
    figures.take(format!("{what}: processor time"), "s", seconds);
    operator.stop()
}

/// One pipeline with so many small files from git.
pub async fn many(figures: &mut Figures, count: usize) -> Result<()> {
    let server = GitServer::start().await?;
    for number in 0..count {
        server.write(&format!("train/lib/{}/f{number}.py", number % 50), format!("x = {number}\n"))?;
    }
    server.commit()?;
    let kept = tempfile::tempdir()?;
    let scene = set(&server.ca_file(), server.host(), &kept).await?;
    let operator = scene.operator().await?;
    begun(&scene).await?;
    let since = scene.azure.requests().len();
    let start = Instant::now();
    let source = format!("git: {{url: '{}', ref: {{branch: main}}, path: train}}", server.url("work"));
    scene.apply(&pipeline("p", &source)).await?;
    let ready = all_ready::<MLPipeline>(&scene, 1).await?;
    let what = format!("code of {count} files from git");
    figures.take(format!("{what}: apply to Ready"), "s", ready.duration_since(start).as_secs_f64());
    let sent = requests(&scene, since..);
    figures.take(format!("{what}: requests to Azure"), "", number(sent.len()));
    operator.stop()
}
