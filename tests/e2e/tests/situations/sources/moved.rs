//! What moves in a repository, and what of that is registered.

use super::{ask, at, base, configured, git, pipeline, ready, scene, taken, version};
use crate::situations::{accepted, manifest};
use anyhow::{Result, ensure};
use azureml_crds::{MLPipeline, MLSchedule};
use azureml_e2e::git_server::GitServer;
use azureml_e2e::operator::soon_with_lease;
use azureml_e2e::{Scene, Setting};

const SCHEDULE: &str = "PUT workspaces/schedules";

fn nightly() -> String {
    manifest("MLSchedule", "nightly", "pipelineRef: {name: p}, cron: '0 3 * * *'")
}

/// A repository with a script in `train`, and its first commit.
async fn repository() -> Result<(GitServer, String)> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    let first = server.commit()?;
    Ok((server, first))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_registers_what_changed_and_nothing_else() -> Result<()> {
    let (server, first) = repository().await?;
    let scene = scene("branch", &server).await?;
    let operator = scene.operator().await?;
    let source = git(&server.url("work"), "branch: main", "train", "");
    scene.apply_objects(&(base() + &pipeline("p", &source) + &nightly())).await?;
    let before = at(&scene, "p", &first).await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    let (codes, components) = taken(&scene);
    ensure!((codes, components) == (1, 2), "a step and its pipeline: {}", scene.requests_shown(60));

    // The tree below the path is the same.
    server.write("readme.md", "news")?;
    let second = server.commit()?;
    let since = scene.azure.requests().len();
    ask(&scene, "mlpipeline/p", "1").await?;
    let moved = at(&scene, "p", &second).await?;
    assert_eq!(version(&moved)?, version(&before)?);
    assert!(scene.writes(since).is_empty(), "{}", scene.requests_shown(20));

    // One byte.
    server.write("train/main.py", "print(2)\n")?;
    let third = server.commit()?;
    ask(&scene, "mlpipeline/p", "2").await?;
    let changed = at(&scene, "p", &third).await?;
    assert_ne!(version(&changed)?, version(&before)?);
    assert_eq!(taken(&scene), (codes + 1, components + 2), "{}", scene.requests_shown(60));
    follows(&scene, &changed).await?;
    assert_eq!(accepted(&scene, SCHEDULE), 2, "{}", scene.requests_shown(60));

    // By force back to the first content, in another commit.
    server.git(&["reset", "--quiet", "--hard", &first])?;
    server.git(&["commit", "--quiet", "--amend", "--message", "forced"])?;
    let forced = server.git(&["rev-parse", "HEAD"])?;
    ensure!(forced != first, "the same commit");
    ask(&scene, "mlpipeline/p", "3").await?;
    let back = at(&scene, "p", &forced).await?;
    assert_eq!(version(&back)?, version(&before)?);
    assert_eq!(taken(&scene), (codes + 1, components + 2), "{}", scene.requests_shown(60));
    follows(&scene, &back).await?;
    assert_eq!(accepted(&scene, SCHEDULE), 3, "{}", scene.requests_shown(60));
    scene.check_contract()?;
    operator.stop()
}

/// Waits until the schedule has the version of the pipeline.
async fn follows(scene: &Scene, pipeline: &serde_json::Value) -> Result<()> {
    let version = version(pipeline)?.to_owned();
    let is_so = |schedule: &MLSchedule| {
        schedule.status.as_ref().is_some_and(|status| status.version.as_ref() == Some(&version))
    };
    scene.wait::<MLSchedule>("nightly", "of the new version", is_so).await?;
    ready::<MLSchedule>(scene, "nightly").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moves_is_followed_and_a_commit_stays() -> Result<()> {
    let (server, first) = repository().await?;
    server.git(&["tag", "v1.0.0"])?;
    let scene = scene("tags", &server).await?;
    let operator = scene.operator().await?;
    let url = server.url("work");
    let tagged = pipeline("p", &git(&url, "tag: v1.0.0", "train", ""));
    let fixed = pipeline("fixed", &git(&url, &format!("commit: {first}"), "train", ""));
    let ranged = pipeline("ranged", &git(&url, "semver: '>=1.0.0, <2.0.0'", "train", ""));
    scene.apply_objects(&(base() + &tagged + &fixed + &ranged)).await?;
    for name in ["p", "fixed", "ranged"] {
        at(&scene, name, &first).await?;
    }
    assert_eq!(taken(&scene).0, 1, "the same files are one version: {}", scene.requests_shown(60));
    server.write("train/main.py", "print(2)\n")?;
    let second = server.commit()?;
    server.git(&["tag", "--force", "--annotate", "v1.0.0", "--message", "x"])?;
    server.git(&["tag", "v1.4.2"])?;
    let asked = server.asked().0;
    for name in ["p", "fixed", "ranged"] {
        ask(&scene, &format!("mlpipeline/{name}"), "1").await?;
    }
    at(&scene, "p", &second).await?;
    at(&scene, "ranged", &second).await?;
    at(&scene, "fixed", &first).await?;
    assert_eq!(taken(&scene).0, 2, "{}", scene.requests_shown(60));
    ensure!(server.asked().0 > asked, "nobody looked");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_was_killed_fetches_again_and_writes_nothing() -> Result<()> {
    let (server, first) = repository().await?;
    // The lease of one that was killed is waited for.
    let config = configured(&server, &[server.host()], &soon_with_lease(6, 5));
    let scene = Scene::set("killed", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let source = git(&server.url("work"), "branch: main", "train", "");
    scene.apply_objects(&(base() + &pipeline("p", &source) + &nightly())).await?;
    at(&scene, "p", &first).await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    operator.kill();

    let (since, asked) = (scene.azure.requests().len(), server.asked().0);
    let operator = scene.operator().await?;
    operator.pass(0, "MLPipeline", "p")?;
    operator.pass(0, "MLSchedule", "nightly")?;
    ready::<MLPipeline>(&scene, "p").await?;
    ensure!(server.asked().0 > asked, "what it held is not known without asking");
    assert!(scene.writes(since).is_empty(), "{}", scene.requests_shown(20));
    operator.stop()
}
