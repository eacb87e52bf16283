//! A workspace that other namespaces use: who may, from when, until when, and what becomes of objects of those that may not.

use super::*;

/// What people of another namespace do.
struct Guest<'a>(&'a Stage);

const GUEST: &str = "team-b";

impl Guest<'_> {
    fn apply(&self, manifests: &str) {
        for manifest in serde_saphyr::from_multiple::<Value>(manifests).unwrap() {
            self.0.kubernetes.apply(&manifest, GUEST);
        }
    }

    fn delete(&self, kind: &str, name: &str) {
        self.0.kubernetes.delete(kind, GUEST, name);
    }

    fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.0.kubernetes.get(kind, GUEST, name)
    }

    async fn says(&self, kind: &str, name: &str, wanted: &str) -> Result<Value> {
        let told = |_: &[Line]| self.get(kind, name).filter(|object| reason(object) == wanted);
        self.0.journal.until(&format!("{kind}/{name} {wanted}"), told).await
    }

    async fn gone(&self, kind: &str, name: &str) -> Result<()> {
        let told = |_: &[Line]| self.get(kind, name).is_none().then_some(());
        self.0.journal.until(&format!("{kind}/{name} gone"), told).await
    }
}

/// Every namespace is watched, and the workspace lets those in that `allowed` says.
async fn stage(allowed: &str) -> Result<Stage> {
    with(allowed, GRANTS).await
}

async fn with(allowed: &str, grants: &str) -> Result<Stage> {
    let workspaces = ["mlw-team-a", "mlw-team-b"].map(|name| WorkspaceSpec::new("rg-ml", name)).into();
    let mut stage = Stage::with(Options { workspaces, ..usual() }, grants).await?;
    stage.sees_all = true;
    namespace(&stage, "{}");
    stage.apply(&shared(allowed));
    stage.start().await?;
    Ok(stage)
}

/// The workspace of the tests, shared.
fn shared(allowed: &str) -> String {
    workspace().replace("identity:", &format!("allowedNamespaces: {allowed}, identity:"))
}

/// The namespace of the guests has these labels.
fn namespace(stage: &Stage, labels: &str) {
    let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {GUEST}, labels: {labels}}}\n");
    let mut object: Value = serde_saphyr::from_str(&text).unwrap();
    // A merge keeps what is not named.
    if labels == "{}" {
        object["metadata"]["labels"] = json!({"ml": null});
    }
    stage.kubernetes.apply(&object, "");
}

const BY_LABEL: &str = "{from: Selector, selector: {matchLabels: {ml: shared}}}";

fn cluster(name: &str) -> String {
    let spec = format!(
        "workspaceRef: {{name: team-a, namespace: team-a}}, azureName: {name}, vmSize: Standard_DS3_v2, scale: {{max: 4}}, deletionPolicy: Delete"
    );
    manifest("MLCompute", name, &spec)
}

#[tokio::test(start_paused = true)]
async fn a_label_of_a_namespace_lets_its_objects_in_and_out() -> Result<()> {
    let stage = stage(BY_LABEL).await?;
    let guest = Guest(&stage);
    guest.apply(&cluster("cpu"));
    let told = guest.says("MLCompute", "cpu", "ReferenceNotPermitted").await?;
    let message = kubernetes::condition(&told, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("allow the namespace team-b in spec.allowedNamespaces"), "{message}");
    assert!(!stage.journal.shown().contains("PUT computes/cpu"), "{}", stage.journal.shown());

    namespace(&stage, "{ml: shared}");
    guest.says("MLCompute", "cpu", "Succeeded").await?;
    let put = &stage.journal.of("PUT computes/cpu")[0].body;
    assert_eq!(put["tags"]["azureml-operator-namespace"], "team-b", "{put}");

    let from = stage.journal.end();
    namespace(&stage, "{}");
    guest.says("MLCompute", "cpu", "ReferenceNotPermitted").await?;
    // What was made stays, and is removed once it may be reached again.
    guest.delete("MLCompute", "cpu");
    guest.says("MLCompute", "cpu", "DeletionBlocked").await?;
    assert_eq!(stage.journal.azure(from), [""; 0], "{}", stage.journal.shown());
    namespace(&stage, "{ml: shared}");
    guest.gone("MLCompute", "cpu").await?;
    assert_eq!(stage.journal.of("DELETE computes/cpu").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_never_let_in_goes_at_once_and_is_not_told_what_there_is() -> Result<()> {
    let stage = stage("{from: Same}").await?;
    let guest = Guest(&stage);
    guest.apply(&cluster("cpu"));
    guest.apply(&cluster("gpu").replace("name: team-a,", "name: none,"));
    let [there, absent] = ["cpu", "gpu"].map(|name| guest.says("MLCompute", name, "ReferenceNotPermitted"));
    let words = |object: &Value| kubernetes::condition(object, "Ready")["message"].to_string();
    let (there, absent) = (words(&there.await?), words(&absent.await?));
    assert_eq!(there, absent.replace("team-a/none", "team-a/team-a"), "one is told what there is");
    for name in ["cpu", "gpu"] {
        guest.delete("MLCompute", name);
        guest.gone("MLCompute", name).await?;
    }
    assert_eq!(stage.journal.of("PUT computes/").len(), 0, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_shared_workspace_is_kept_by_those_that_may_use_it_alone() -> Result<()> {
    let stage = stage(BY_LABEL).await?;
    let guest = Guest(&stage);
    namespace(&stage, "{ml: shared}");
    guest.apply(&cluster("cpu"));
    guest.says("MLCompute", "cpu", "Succeeded").await?;
    stage.delete("MLWorkspace", "team-a");
    let kept = stage.says("MLWorkspace", "team-a", "InUse").await?;
    let message = kubernetes::condition(&kept, "Ready")["message"].to_string();
    assert!(message.contains("MLCompute/cpu of team-b"), "{message}");
    namespace(&stage, "{}");
    stage.gone("MLWorkspace", "team-a").await
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_of_a_guest_runs_and_a_new_process_says_nothing_new() -> Result<()> {
    let mut stage = stage("{from: All}").await?;
    let whole = pipelines::whole("p")
        .replace("workspaceRef: {name: team-a}", "workspaceRef: {name: team-a, namespace: team-a}");
    let guest = Guest(&stage);
    guest.apply(&whole);
    guest.says("MLPipeline", "p", "Succeeded").await?;
    guest.apply(&manifest("MLRun", "r", "pipelineRef: {name: p}"));
    let is_over = |_: &[Line]| {
        guest.get("MLRun", "r").filter(|run| kubernetes::condition(run, "Succeeded")["status"] == "True")
    };
    let run = stage.journal.until("the run has succeeded", is_over).await?;
    let of = json!({"name": "team-a", "namespace": "team-a"});
    assert_eq!(run["status"]["workspaceRef"], of, "{run}");
    stage.pass(Duration::from_mins(5)).await;
    let from = stage.journal.end();
    stage.start().await?;
    stage.pass(Duration::from_mins(5)).await;
    let mut writes = stage.journal.writes(from);
    // Its preflight has learned of the run.
    writes.retain(|what| what != "status MLWorkspace/team-a Succeeded");
    assert_eq!(writes, [""; 0], "{}", stage.journal.shown());
    Ok(())
}

/// The host's own credentials reach whatever Azure lets them; a guest acts with them in the shared workspace alone.
#[tokio::test(start_paused = true)]
async fn a_guest_has_no_more_than_the_workspace_and_its_own_grants() -> Result<()> {
    let other = "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/p";
    let subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
    let data = |name: &str, path: &str| {
        let spec =
            format!("workspaceRef: {{name: team-a, namespace: team-a}}, type: uri_file, path: '{path}'");
        manifest("MLData", name, &spec)
    };
    let objects = format!(
        "{}{}{}",
        data("own", "azureml://datastores/workspaceblobstore/paths/p"),
        data("other", other),
        cluster("cpu").replace("azureName:", &format!("subnetId: {subnet}, azureName:"))
    );
    let says = async |grants: &str, wanted: [&str; 3]| -> Result<Value> {
        let stage = with("{from: All}", grants).await?;
        let guest = Guest(&stage);
        guest.apply(&objects);
        guest.says("MLData", "own", wanted[0]).await?;
        guest.says("MLData", "other", wanted[1]).await?;
        guest.says("MLCompute", "cpu", wanted[2]).await
    };
    let refused = says("grants: []", ["Succeeded", "WorkspaceNotGranted", "SubnetNotGranted"]).await?;
    let message = kubernetes::condition(&refused, "Ready")["message"].to_string();
    assert!(message.contains("namespaces: [team-b]") && message.contains("clients: [cccccccc-"), "{message}");
    let of_the_host = "grants: [{namespaces: [team-a], clients: ['*'], subnets: ['*']}]";
    says(of_the_host, ["Succeeded", "WorkspaceNotGranted", "SubnetNotGranted"]).await?;
    let of_the_guest = "grants: [{namespaces: [team-b], clients: ['*'], subnets: ['*']}]";
    // There is no such workspace: what is asked for is sent now.
    says(of_the_guest, ["Succeeded", "RequestInvalid", "Succeeded"]).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_workspace_made_anew_for_another_one_in_azure_gets_nothing_of_a_guest() -> Result<()> {
    let stage = stage("{from: All}").await?;
    let guest = Guest(&stage);
    guest.apply(&cluster("cpu"));
    guest.says("MLCompute", "cpu", "Succeeded").await?;
    stage.apply(&shared("{from: Same}"));
    stage.delete("MLWorkspace", "team-a");
    stage.gone("MLWorkspace", "team-a").await?;
    let from = stage.journal.end();
    stage.apply(&shared("{from: All}").replace("workspaceName: mlw-team-a", "workspaceName: mlw-other"));
    let told = guest.says("MLCompute", "cpu", "WorkspaceChanged").await?;
    let message = kubernetes::condition(&told, "Stalled")["message"].to_string();
    assert!(
        message.contains("let MLWorkspace team-a/team-a name") && message.contains("mlw-team-a"),
        "{message}"
    );
    guest.delete("MLCompute", "cpu");
    guest.says("MLCompute", "cpu", "DeletionBlocked").await?;
    let sent = stage.journal.azure(from);
    assert!(!sent.iter().any(|what| what.contains("computes/")), "{sent:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_reached_once_is_not_let_go_without_a_look() -> Result<()> {
    let stage = stage("{from: All}").await?;
    let guest = Guest(&stage);
    // Azure does not say whether it has made it.
    let lost = json!({"match": {"method": "PUT", "path": "/computes/"}, "do": {"status": 500}, "times": 100});
    stage.fault(lost)?;
    guest.apply(&cluster("cpu"));
    stage.times("PUT computes/cpu", 1).await?;
    stage.apply(&shared("{from: Same}"));
    guest.says("MLCompute", "cpu", "ReferenceNotPermitted").await?;
    guest.delete("MLCompute", "cpu");
    guest.says("MLCompute", "cpu", "DeletionBlocked").await?;
    stage.apply(&shared("{from: All}"));
    guest.gone("MLCompute", "cpu").await
}

/// A pipeline in the host's workspace names a cluster or an image that the guest has in another workspace of its own: the same name would be another cluster
/// there, and the host's identity would be asked for the image.
#[tokio::test(start_paused = true)]
async fn what_a_guest_has_in_another_workspace_is_not_taken_into_the_shared_one() -> Result<()> {
    let stage = with("{from: All}", "grants: []").await?;
    let guest = Guest(&stage);
    let own = workspace().replace("mlw-team-a", "mlw-team-b").replace("name: team-a}", "name: team-b}");
    guest.apply(&own);
    let there = |text: String| text.replace("workspaceRef: {name: team-a}", "workspaceRef: {name: team-b}");
    let here = |text: String| {
        text.replace("workspaceRef: {name: team-a}", "workspaceRef: {name: team-a, namespace: team-a}")
    };
    let whole = pipelines::whole("p");
    let [image, cluster, pipeline]: [String; 3] =
        ["kind: MLEnvironment", "kind: MLCompute", "kind: MLPipeline"].map(|kind| {
            let manifests = whole.split("---\n").find(|one| one.contains(kind)).unwrap_or_default();
            format!("{manifests}---\n")
        });
    guest.apply(&(here(image.clone()) + &there(cluster.clone()) + &here(pipeline)));
    let told = guest.says("MLPipeline", "p", "InvalidSpec").await?;
    let message = kubernetes::condition(&told, "Ready")["message"].to_string();
    assert!(message.contains("name an MLCompute of the pipeline's own workspace"), "{message}");
    guest.delete("MLCompute", "cpu");
    guest.delete("MLEnvironment", "image");
    guest.gone("MLCompute", "cpu").await?;
    guest.gone("MLEnvironment", "image").await?;
    guest.apply(&(there(image) + &here(cluster)));
    guest.says("MLPipeline", "p", "WorkspaceNotGranted").await?;
    assert_eq!(stage.journal.of("PUT components").len(), 0, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_not_told_what_secrets_there_are() -> Result<()> {
    let stage = stage("{from: All}").await?;
    stage.delete("Secret", "sp");
    stage.pass(Duration::from_mins(1)).await;
    Guest(&stage).apply(&cluster("cpu"));
    let told = Guest(&stage).says("MLCompute", "cpu", "SecretNotFound").await?;
    let message = kubernetes::condition(&told, "Ready")["message"].as_str().unwrap_or_default();
    assert_eq!(
        message,
        "ask the owner of MLWorkspace team-a/team-a to look at its conditions: its identity cannot be used"
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_may_not_read_namespaces_knows_their_names() -> Result<()> {
    let mut stage = Stage::set().await?;
    (stage.sees_all, stage.forbidden) = (true, Some("/api/v1/namespaces?"));
    let by_name = "{from: Selector, selector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [team-b]}]}}";
    stage.apply(&shared(by_name));
    stage.start().await?;
    Guest(&stage).apply(&cluster("cpu"));
    Guest(&stage).says("MLCompute", "cpu", "Succeeded").await?;
    Ok(())
}
