//! Large files, many files, and equal files from several places.

use super::{ask, at, base, configured, git, pipeline, ready, scene, taken};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::git_server::GitServer;
use azureml_e2e::operator::SOON;
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};
use std::path::Path;

/// The bytes of the large file: more than one part, and no whole number of parts.
const LARGE: usize = (30 << 20) + 12_345;
/// How many small files there are.
const MANY: usize = 3000;

/// Bytes that do not compress: xorshift.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(count).collect()
}

/// All files below a folder: path and content.
fn below(folder: &Path, before: &str, found: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            below(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push((name, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_30_mib_and_3000_files_are_uploaded_whole() -> Result<()> {
    let server = GitServer::start().await?;
    let large = noise(LARGE);
    server.write("large/main.py", "print(1)\n")?;
    server.write("large/model.bin", &large)?;
    server.write("many/main.py", "print(2)\n")?;
    for number in 0..MANY {
        server.write(&format!("many/lib/{}/f{number}.py", number % 50), format!("x = {number}\n"))?;
    }
    let commit = server.commit()?;
    let folder = tempfile::tempdir()?;
    let mut setting = Setting { config: configured(&server, &[server.host()], SOON), ..Setting::default() };
    setting.azure.dir = Some(folder.path().to_owned());
    let scene = Scene::set("sizes", setting).await?;
    let operator = scene.operator().await?;
    let url = server.url("work");
    let sources = ["large", "many"].map(|path| pipeline(path, &git(&url, "branch: main", path, "")));
    scene.apply_objects(&(base() + &sources.concat())).await?;
    for name in ["large", "many"] {
        at(&scene, name, &commit).await?;
    }
    let mut found = Vec::new();
    below(&folder.path().join("blob"), "", &mut found)?;
    let model = found.iter().find(|(path, _)| path.ends_with("code/model.bin")).context("no model")?;
    ensure!(model.1 == large, "{} of {LARGE} bytes came, or others", model.1.len());
    let small = found.iter().filter(|(path, _)| path.contains("/code/lib/")).count();
    assert_eq!(small, MANY);
    let peak = operator.peak_memory()?;
    ensure!(peak < 512 << 20, "{} MiB", peak >> 20);
    operator.stop()
}

/// A ConfigMap with these files.
fn map(files: &Value, labels: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "scripts", "labels": labels}, "data": files}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_files_from_git_a_config_map_and_in_place_are_one_version() -> Result<()> {
    let server = GitServer::start().await?;
    let files = json!({"main.py": "print(1)\n", "helper.py": "x = 1\n"});
    for (path, text) in files.as_object().into_iter().flatten() {
        server.write(&format!("train/{path}"), text.as_str().unwrap_or_default())?;
    }
    let commit = server.commit()?;
    let scene = scene("equal", &server).await?;
    let operator = scene.operator().await?;
    scene.apply(&map(&files, &json!({"azureml.dev/source": "true"}))).await?;
    let fetched = pipeline("fetched", &git(&server.url("work"), "branch: main", "train", ""));
    let mapped = pipeline("mapped", "configMap: {name: scripts}");
    let placed = pipeline("placed", &format!("files: {files}"));
    scene.apply_objects(&(base() + &fetched + &mapped + &placed)).await?;
    at(&scene, "fetched", &commit).await?;
    let first = ready::<MLPipeline>(&scene, "mapped").await?;
    ready::<MLPipeline>(&scene, "placed").await?;
    assert_eq!(taken(&scene).0, 1, "{}", scene.requests_shown(60));

    // The ConfigMap has the label: nobody has to ask. One without is read in the next pass.
    let other = json!({"main.py": "print(2)\n", "helper.py": "x = 1\n"});
    scene.apply(&map(&other, &json!({"azureml.dev/source": "true"}))).await?;
    follows(&scene, &first).await?;
    assert_eq!(taken(&scene).0, 2, "{}", scene.requests_shown(60));
    scene.apply(&map(&other, &json!({}))).await?;
    let second = ready::<MLPipeline>(&scene, "mapped").await?;
    scene.apply(&map(&json!({"main.py": "print(3)\n"}), &json!({}))).await?;
    ask(&scene, "mlpipeline/mapped", "1").await?;
    follows(&scene, &second).await?;
    assert_eq!(taken(&scene).0, 3, "{}", scene.requests_shown(60));
    operator.stop()
}

/// Waits until the pipeline of the ConfigMap has other files.
async fn follows(scene: &Scene, before: &Value) -> Result<()> {
    let hash = &before["status"]["sources"][0]["hash"];
    let is_other = |object: &MLPipeline| {
        let sources = object.status.as_ref().map(|status| status.sources.as_slice()).unwrap_or_default();
        sources.first().is_some_and(|source| *hash != source.hash)
    };
    scene.wait::<MLPipeline>("mapped", "of the new files", is_other).await?;
    ready::<MLPipeline>(scene, "mapped").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_takes_its_code_from_git() -> Result<()> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    let commit = server.commit()?;
    let scene = scene("example", &server).await?;
    let operator = scene.operator().await?;
    let beside = ["r-gbm/workspace.yaml", "r-gbm/computes.yaml", "python-parallel/"];
    for file in beside.map(|file| format!("examples/{file}")) {
        scene.kubectl(&["apply", "-f", &file]).await?;
    }
    let example = std::fs::read_to_string(azureml_e2e::root().join("examples/own-code/git.yaml"))?;
    let (before, after) =
        example.split_once("https://github.com/your-org/models").context("another address")?;
    scene.apply(&format!("{before}{}{after}", server.url("work"))).await?;
    at(&scene, "own-code", &commit).await?;
    operator.stop()
}
