//! The workflows for GitHub Actions do what their page says: the shell of their steps runs as a runner runs it, one step after the
//! other, against a real API server and the simulated Azure. GitHub itself is not here: its token comes from a server on loopback.

use super::stage::{RUNTIME, place};
use anyhow::{Context as _, Result, bail, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::place::Place;
use azureml_e2e::{Scene, Setting, cluster, flux::Artifacts};
use azureml_plan::report::is_ready;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use regex::{Captures, Regex};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

const FOLDER: &str = "examples/github-actions";

/// A runner: what expressions mean, and what steps leave for each other.
struct Runner {
    place: Place,
    /// `secrets.NAME`, `vars.NAME`, `inputs.NAME` and `steps.ID.outputs.NAME`.
    known: BTreeMap<String, String>,
}

impl Runner {
    fn new(place: Place) -> Result<Self> {
        let mut runner = Self { place, known: BTreeMap::new() };
        for name in ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
            let file = runner.place.path().join(name);
            std::fs::write(&file, "")?;
            runner.place.environment.insert(name.to_owned(), file.display().to_string());
        }
        let folder = runner.place.path().display().to_string();
        runner.place.environment.insert("RUNNER_TEMP".to_owned(), folder);
        Ok(runner)
    }

    fn know(mut self, name: &str, value: &str) -> Self {
        self.known.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A text with its expressions filled in: a name, or the first of several that is known, or a text in quotes.
    fn filled(&self, text: &str) -> Result<String> {
        let expression = Regex::new(r"\$\{\{\s*(.*?)\s*\}\}")?;
        let value = |found: &Captures<'_>| {
            let mut ways = found[1].split(" || ").map(|way| match way.strip_prefix('\'') {
                Some(text) => Some(text.trim_end_matches('\'').to_owned()),
                None => self.known.get(way).cloned(),
            });
            ways.find_map(|way| way).unwrap_or_default()
        };
        Ok(expression.replace_all(text, value).into_owned())
    }

    /// Carries out the steps of a workflow that are shell, but for those that are named.
    fn run(&mut self, file: &str, without: &[&str]) -> Result<String> {
        let text = std::fs::read_to_string(azureml_e2e::root().join(FOLDER).join(file))?;
        let workflow: Value = serde_saphyr::from_str(&text)?;
        let shell = &workflow["defaults"]["run"]["shell"];
        ensure!(
            shell == "bash",
            "{file}: without its own shell a command that fails before a pipe is not noticed"
        );
        let jobs = workflow["jobs"].as_object().context("no jobs")?;
        let mut printed = String::new();
        for job in jobs.values() {
            for step in job["steps"].as_array().context("no steps")? {
                let name = step["name"].as_str().unwrap_or_default();
                if step["run"].is_string() && !without.contains(&name) {
                    printed += &self.step(job, step).with_context(|| format!("{file}: {name}"))?;
                }
            }
        }
        Ok(printed)
    }

    /// As a runner does it for `shell: bash`, with the environment of job and step; then what it wrote for later steps.
    fn step(&mut self, job: &Value, step: &Value) -> Result<String> {
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c"]);
        bash.arg(step["run"].as_str().unwrap_or_default()).current_dir(self.place.path());
        bash.env_clear().envs(&self.place.environment);
        for (name, value) in [job, step].iter().filter_map(|part| part["env"].as_object()).flatten() {
            bash.env(name, self.filled(value.as_str().unwrap_or_default())?);
        }
        let output = bash.output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}{printed}", output.status);
        for (name, value) in self.left("GITHUB_ENV")? {
            self.place.environment.insert(name, value);
        }
        let id = step["id"].as_str().unwrap_or_default();
        for (name, value) in self.left("GITHUB_OUTPUT")? {
            self.known.insert(format!("steps.{id}.outputs.{name}"), value);
        }
        Ok(printed)
    }

    /// What a step wrote to one of the files.
    fn left(&self, file: &str) -> Result<Vec<(String, String)>> {
        let path = self.place.path().join(file);
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(path, "")?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The example `first`, with an endpoint; gives its address.
async fn publish(scene: &Scene) -> Result<String> {
    for file in ["workspace", "compute", "environment", "pipeline"] {
        scene.kubectl(&["apply", "-f", &format!("examples/first/{file}.yaml")]).await?;
    }
    let patch = json!({"spec": {"publish": {"endpoint": "first-by-actions"}}}).to_string();
    scene.kubectl(&["patch", "mlpipeline", "first", "--type=merge", "-p", &patch]).await?;
    let is_there = |object: &MLPipeline| {
        let status = object.status.clone().unwrap_or_default();
        status.endpoint.is_some_and(|endpoint| endpoint.scoring_uri.is_some())
            && is_ready(&status.common.conditions)
    };
    let pipeline = scene.wait::<MLPipeline>("first", "published", is_there).await?;
    let endpoint = pipeline.status.and_then(|status| status.endpoint);
    endpoint.and_then(|endpoint| endpoint.scoring_uri).context("no address")
}

/// The kubeconfig of an account of the example, with its namespace.
async fn account(scene: &Scene, name: &str) -> Result<String> {
    let identity = cluster::shared().service_account(&scene.namespace, name).await?;
    let file = identity.kubeconfig.display().to_string();
    let current =
        ["config", "set-context", "--current", "--namespace", &scene.namespace, "--kubeconfig", &file];
    scene.kubectl(&current).await?;
    Ok(std::fs::read_to_string(identity.kubeconfig)?)
}

/// What GitHub gives to a job with `id-token: write`.
fn assertion() -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let claims = json!({"sub": "repo:your-org/prices:ref:refs/heads/main", "aud": "api://AzureADTokenExchange", "nbf": 0, "iat": 0, "exp": 4_000_000_000_u64});
    format!("{}.{}.c2lnbmVk", part(&json!({"alg": "RS256", "typ": "JWT"})), part(&claims))
}

/// Why a workflow failed; one that passes is an error.
fn failure(runner: &mut Runner, file: &str) -> Result<String> {
    match runner.run(file, &["Build kubectl-azureml"]) {
        Ok(printed) => bail!("{file} passes, and should not: {printed}"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

/// A run is started and waited for, and a pipeline is called. A run that fails and a call that is refused fail, with the reason.
fn run_and_call(runner: &mut Runner) -> Result<()> {
    let printed = runner.run("run.yaml", &[])?;
    ensure!(printed.contains("run=mlrun.azureml.dev/first-") && printed.contains("\nSucceeded"), "{printed}");
    let wrong = std::fs::read_to_string(azureml_e2e::root().join("examples/runs/first.yaml"))?;
    std::fs::write(runner.place.path().join("wrong.yaml"), wrong.replace("speed: 25", "speed: fast"))?;
    let right = runner.known.insert("inputs.manifest".to_owned(), "wrong.yaml".to_owned());
    let said = failure(runner, "run.yaml")?;
    ensure!(said.contains("Failed inputs.speed"), "{said}");
    runner.known.extend(right.map(|right| ("inputs.manifest".to_owned(), right)));
    let printed = runner.run("call.yaml", &[])?;
    ensure!(printed.contains("::add-mask::") && printed.contains("Completed"), "{printed}");
    let tenant = runner.known.insert("vars.TENANT_ID".to_owned(), "nowhere".to_owned());
    let said = failure(runner, "call.yaml")?;
    ensure!(said.contains("AADSTS90002"), "{said}");
    runner.known.extend(tenant.map(|tenant| ("vars.TENANT_ID".to_owned(), tenant)));
    Ok(())
}

/// A folder with objects of the example `first`, some of them in its kustomization beside a ConfigMap of files.
fn folder(runner: &Runner, resources: &[&str]) -> Result<PathBuf> {
    let folder = runner.place.path().join("azureml");
    std::fs::create_dir_all(&folder)?;
    for file in ["workspace", "compute", "environment", "pipeline", "schedule"] {
        let from = azureml_e2e::root().join(format!("examples/first/{file}.yaml"));
        std::fs::copy(from, folder.join(format!("{file}.yaml")))?;
    }
    let resources: Vec<String> = resources.iter().map(|file| format!("{file}.yaml")).collect();
    let text = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources,
        "configMapGenerator": [{"name": "scripts", "literals": ["main.py=print()"]}],
    });
    std::fs::write(folder.join("kustomization.yaml"), text.to_string())?;
    Ok(folder)
}

/// A schedule that is not there yet is planned, and the rest of the namespace is as it should be.
fn plan(runner: &mut Runner) -> Result<()> {
    folder(runner, &["schedule"])?;
    let printed = runner.run("plan.yaml", &["Build kubectl-azureml", "Comment"])?;
    ensure!(
        printed.contains("MLSchedule/first-nightly in ") && printed.contains("1 to create."),
        "{printed}"
    );
    let comment = std::fs::read_to_string(runner.place.path().join("comment.md"))?;
    ensure!(comment.contains(printed.trim_end()), "{comment}");
    Ok(())
}

/// Manifests that are right pass, with a kustomization and without, and one that is wrong does not.
fn check(runner: &mut Runner) -> Result<()> {
    let folder = folder(runner, &["workspace", "compute", "environment", "pipeline", "schedule"])?;
    let printed = runner.run("check.yaml", &["Build kubectl-azureml"])?;
    ensure!(printed.matches("(server dry run)").count() == 6, "{printed}");
    std::fs::remove_file(folder.join("kustomization.yaml"))?;
    let printed = runner.run("check.yaml", &["Build kubectl-azureml"])?;
    ensure!(printed.matches("(server dry run)").count() == 5, "{printed}");
    let pipeline = folder.join("pipeline.yaml");
    let text = std::fs::read_to_string(&pipeline)?.replace("timeout: 10m", "timeout: soon");
    std::fs::write(&pipeline, text)?;
    failure(runner, "check.yaml").map(drop)
}

async fn play() -> Result<()> {
    let scene = Scene::set("actions", Setting::default()).await?;
    let operator = scene.operator().await?;
    let uri = publish(&scene).await?;
    scene.apply(&std::fs::read_to_string(azureml_e2e::root().join(FOLDER).join("account.yaml"))?).await?;
    let (starts_runs, checks) = (account(&scene, "starts-runs").await?, account(&scene, "checks").await?);
    let github = Artifacts::serve().await?;
    github.give("/token", 200, json!({"value": assertion()}).to_string().as_bytes());
    let asked = github.status("/token", &[])["artifact"]["url"].as_str().context("no url")?.to_owned();
    let mut place = place(&scene)?;
    place.environment.insert("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), format!("{asked}?api=2"));
    place.environment.insert("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), "t".to_owned());
    let mut runner = Runner::new(place)?
        .know("secrets.RUN_KUBECONFIG", &starts_runs)
        .know("secrets.CHECK_KUBECONFIG", &checks)
        .know("inputs.manifest", "examples/runs/first.yaml")
        .know("vars.SCORING_URI", &uri)
        .know("vars.AUTHORITY", scene.azure.endpoint())
        .know("vars.TENANT_ID", scene.azure.tenant_id())
        .know("vars.CLIENT_ID", "cccccccc-0000-4000-8000-00000000000a")
        .know("vars.PLAN_CLIENT_ID", "cccccccc-0000-4000-8000-00000000000b")
        .know("vars.NAMESPACE", &scene.namespace)
        .know("vars.CLUSTER_ID", "test");
    let work = move || -> Result<()> {
        run_and_call(&mut runner)?;
        plan(&mut runner)?;
        check(&mut runner)
    };
    tokio::task::spawn_blocking(work).await??;
    // Two calls and a plan.
    ensure!(github.asked() == ["/token"; 3], "{:?}", github.asked());
    operator.stop()
}

#[test]
fn the_workflows_check_plan_run_and_call() -> Result<()> {
    RUNTIME.block_on(play())
}
