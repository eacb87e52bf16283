//! Where pages are walked: one control plane, one simulated Azure with a workspace for each team, and one operator.
//! In: nothing. Out: folders in which a page's commands run as a user types them. The operator stands in for the chart's pods.

use anyhow::{Result, anyhow};
use azureml_e2e::operator::SOON;
use azureml_e2e::place::Place;
use azureml_e2e::scene::{GROUP, SUBSCRIPTION};
use azureml_e2e::{Operator, Scene, Setting, cluster, storage};
use azureml_simulator::WorkspaceSpec;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What outlives single tests: the simulator, and waits.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "without a runtime no test can say anything")]
    Runtime::new().unwrap()
});

/// The namespaces that pages make; the operator serves them all.
const NAMESPACES: [&str; 12] = [
    "imported",
    "ml-platform",
    "team-h",
    "team-a",
    "team-b",
    "team-c",
    "team-d",
    "team-e",
    "team-f",
    "team-g",
    "team-blue",
    "team-green",
];

/// The secret of an application that calls an endpoint.
pub const CALLER: (&str, &str) = ("eeeeeeee-0000-4000-8000-000000000001", "a-caller's-secret");

pub struct Stage {
    pub scene: Scene,
    _operator: Operator,
    _folder: TempDir,
}

impl Stage {
    /// A cluster that somebody made in the portal.
    pub async fn make_by_hand(&self, workspace: &str, name: &str, nodes: u32) -> Result<()> {
        let azure = &self.scene.azure;
        let (http, token) = self.scene.azure_client().await?;
        let url = format!(
            "{}/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/computes/{name}?api-version=2025-12-01",
            azure.endpoint()
        );
        let scale = json!({"minNodeCount": 0, "maxNodeCount": nodes, "nodeIdleTimeBeforeScaleDown": "PT2M"});
        let cluster = json!({"osType": "Linux", "vmSize": "Standard_DS3_v2", "vmPriority": "Dedicated", "scaleSettings": scale});
        let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": cluster}});
        http.put(url).bearer_auth(token).json(&body).send().await?.error_for_status()?;
        Ok(())
    }
}

/// The stage of every page that needs no other.
pub fn shared() -> Result<&'static Stage> {
    static STAGE: OnceLock<Result<Stage, String>> = OnceLock::new();
    let stage = STAGE.get_or_init(|| RUNTIME.block_on(set()).map_err(|error| format!("{error:#}")));
    stage.as_ref().map_err(|error| anyhow!("{error}"))
}

async fn set() -> Result<Stage> {
    let folder = tempfile::tempdir()?;
    let mut setting =
        Setting { config: format!("grants: [{{namespaces: ['*']}}]\n{SOON}"), ..Setting::default() };
    setting.azure.execute = true;
    setting.azure.dir = Some(folder.path().to_owned());
    setting.azure.apps = BTreeMap::from([(CALLER.0.to_owned(), CALLER.1.to_owned())]);
    setting.azure.workspaces.extend(
        ["mlw-team-b", "mlw-team-g", "mlw-experiments", "mlw-production", "mlw-team-blue", "mlw-team-green"]
            .map(|name| WorkspaceSpec::new(GROUP, name)),
    );
    let mut scene = Scene::set("docs", setting).await?;
    storage::put_raw_data(folder.path())?;
    scene.start.also = NAMESPACES.map(str::to_owned).to_vec();
    let operator = scene.operator().await?;
    Ok(Stage { scene, _operator: operator, _folder: folder })
}

/// A place on the shared control plane, with what a caller of endpoints needs.
pub fn place(scene: &Scene) -> Result<Place> {
    let mut place = Place::on(cluster::shared())?;
    for (name, value) in [
        ("AUTHORITY", scene.azure.endpoint()),
        ("TENANT_ID", scene.azure.tenant_id()),
        ("CLIENT_ID", CALLER.0),
        ("CLIENT_SECRET", CALLER.1),
        // By these `kubectl azureml plan` reaches the simulated Azure.
        ("AZUREML_CONFIG", &scene.start.config.display().to_string()),
        ("AZUREML_CLUSTER_ID", "test"),
        ("AZURE_TENANT_ID", scene.azure.tenant_id()),
        ("AZURE_CLIENT_ID", &scene.start.client),
        ("AZURE_CLIENT_SECRET", "not-a-secret"),
        ("CURL_CA_BUNDLE", &scene.azure.ca_file().display().to_string()),
    ] {
        place.environment.insert(name.to_owned(), value.to_owned());
    }
    Ok(place)
}
