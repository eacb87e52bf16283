//! A scenario that leaves a trace in every figure: two replicas, the R example, a run and one that fails, a build that fails,
//! an Azure that throttles and fails, a schedule that fires soon.

use super::collector::Collector;
use anyhow::Result;
use azureml_e2e::operator::{SOON, Start};
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Operator, Scene, Setting};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use std::time::Duration;

/// What was set up and happened.
pub struct Scenario {
    pub scene: Scene,
    pub leader: Operator,
    pub standby: Operator,
    pub collector: Collector,
}

const LOG: &str = "info,azureml_controller=debug,azureml_observe=debug,azureml_client=debug";

async fn start(start: Start, endpoint: String) -> Result<Operator> {
    let started = tokio::task::spawn_blocking(move || {
        let environment =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned())];
        let environment = environment.map(|(name, value)| (name.to_owned(), Some(value))).to_vec();
        let operator = Operator::start(&Start { log: Some(LOG.to_owned()), environment, ..start })?;
        operator.address()?;
        Ok::<_, anyhow::Error>(operator)
    });
    started.await?
}

impl Scenario {
    /// Two replicas that serve nothing yet.
    pub async fn begin() -> Result<Self> {
        let soon = SOON.replace("intervals: {", "intervals: {firingCheck: 1s, ");
        let setting = Setting { config: format!("{GRANTS}{soon}"), ..Setting::default() };
        let (scene, collector) = (Scene::set("observe", setting).await?, Collector::start().await?);
        let leader = start(scene.start.clone(), collector.endpoint.clone()).await?;
        leader.leads()?;
        let client = "bbbbbbbb-0000-4000-8000-000000000009".to_owned();
        let second = Start { client, ..scene.start.clone() };
        let standby = start(second, collector.endpoint.clone()).await?;
        Ok(Self { scene, leader, standby, collector })
    }

    /// Where both serve their metrics.
    pub fn addresses(&self) -> Result<Vec<String>> {
        [&self.leader, &self.standby].map(Operator::address).into_iter().collect()
    }

    fn fault(&self, fault: serde_json::Value) -> Result<()> {
        self.scene.azure.fault(fault).map(drop).map_err(anyhow::Error::msg)
    }

    async fn wait(&self, what: &str, condition: &str) -> Result<()> {
        let condition = format!("--for=condition={condition}");
        self.scene.kubectl(&["wait", what, &condition, "--timeout=60s"]).await.map(drop)
    }

    /// Lets everything happen.
    pub async fn play(&self) -> Result<()> {
        let throttled = json!({"status": 429, "headers": {"retry-after": "1"}});
        self.fault(json!({"match": {"path": "/computes"}, "do": throttled, "times": 2}))?;
        self.fault(json!({"match": {"path": "/components/"}, "do": {"status": 503}, "times": 1}))?;
        self.scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
        for what in ["mlcompute/cpu", "mlcompute/big", "mlpipeline/r-gbm"] {
            self.wait(what, "Ready").await?;
        }
        self.scene.apply(&every_minute()?).await?;
        self.scene.apply(&run("works", 50)).await?;
        self.wait("mlrun/works", "Succeeded").await?;
        // What it did is not done again, so that no later firing fails.
        self.wait("mlschedule/soon", "LastRunSucceeded").await?;
        let train = json!({"code": "UserError", "message": "Error in gbm()"});
        self.fault(json!({"when": "outcome", "match": {"path": "/jobs/.*/train"}, "do": {"fail": train}}))?;
        let build = json!({"code": "RunFailed", "message": "package 'gbm' is not available"});
        self.fault(json!({"when": "outcome", "match": {"path": "taskRuns/"}, "do": {"fail": build}}))?;
        self.scene.apply(BROKEN).await?;
        self.scene.apply(&run("fails", 51)).await?;
        self.wait("mlrun/fails", "Succeeded=False").await?;
        self.wait("mlenvironment/broken", "Stalled").await?;
        self.wait("mlschedule/soon", "Ready").await
    }

    /// Changes a cluster again and again; ends only with an error.
    pub async fn keep_changing(&self) -> Result<()> {
        let mut every = tokio::time::interval(Duration::from_secs(2));
        for max in (5..9).cycle() {
            every.tick().await;
            let patch = json!({"spec": {"scale": {"max": max}}}).to_string();
            self.scene.kubectl(&["patch", "mlcompute", "cpu", "--type=merge", "-p", &patch]).await?;
        }
        Ok(())
    }
}

const BROKEN: &str = "apiVersion: azureml.dev/v1alpha1\nkind: MLEnvironment\nmetadata: {name: broken}\nspec:\n  \
                      workspaceRef: {name: team-a}\n  build: {dockerfile: \"FROM r-base:4.4\\nRUN false\\n\"}\n";

/// A run; with other inputs than before its steps are not those of before.
fn run(name: &str, trees: i32) -> String {
    format!(
        "apiVersion: azureml.dev/v1alpha1\nkind: MLRun\nmetadata: {{name: {name}}}\nspec: {{pipelineRef: {{name: r-gbm}}, \
         inputs: {{trees: {trees}}}}}\n"
    )
}

/// A schedule that fires in a few seconds, and then every minute.
fn every_minute() -> Result<String> {
    let start = Timestamp::now().checked_add(8.seconds())?.checked_sub(1.hour())?;
    let start = start.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    Ok(format!(
        "apiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {{name: soon}}\nspec:\n  pipelineRef: {{name: r-gbm}}\n  \
         recurrence: {{frequency: Minute, interval: 1}}\n  timeZone: UTC\n  startTime: '{start}'\n"
    ))
}
