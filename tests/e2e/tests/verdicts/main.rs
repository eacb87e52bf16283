//! What kstatus, Flux and Argo CD make of every state that an object can be in: judged by their own code, held against
//! what is meant, and kept as a page of the documentation. `UPDATE=1` writes the page.

mod page;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// A state of an object with what is said of it.
struct Judged {
    kind: String,
    state: Value,
    said: Value,
}

/// The states, as the plans' tests keep them: a header, a line of dashes, JSON.
fn states() -> Result<Vec<Value>> {
    let file = "controller/plan/tests/plans/situations/snapshots/plans__situations__states__the_states_are_these.snap";
    let text = std::fs::read_to_string(azureml_e2e::root().join(file)).context(file)?;
    let json = text.splitn(3, "---\n").nth(2).context("the snapshot has no header")?;
    Ok(serde_json::from_str(json)?)
}

/// The health script of each kind, as the example for Argo CD has it.
fn scripts() -> Result<Value> {
    let file = "examples/argo-cd/values.yaml";
    let text = std::fs::read_to_string(azureml_e2e::root().join(file)).context(file)?;
    let values: Value = serde_saphyr::from_str(&text)?;
    Ok(values["configs"]["cm"].clone())
}

fn judged() -> Result<Vec<Judged>> {
    let scripts = scripts()?;
    let (mut asked, mut questions) = (Vec::new(), Vec::new());
    for state in states()? {
        for kind in state["kinds"].as_array().context("a state of no kind")? {
            let kind = kind.as_str().unwrap_or_default().to_owned();
            let mut object = state["object"].clone();
            object["apiVersion"] = json!("azureml.dev/v1alpha1");
            object["kind"] = json!(kind);
            object["metadata"]["name"] = json!("x");
            if object["spec"].is_null() {
                object["spec"] = json!({});
            }
            let script = &scripts[format!("resource.customizations.health.azureml.dev_{kind}")];
            questions.push(json!({"object": object, "script": script}));
            asked.push((kind, state.clone()));
        }
    }
    let said = azureml_control_plane::gitops::verdicts(&Value::Array(questions))?;
    let said = said.as_array().context("the verdicts are no list")?.clone();
    let both = asked.into_iter().zip(said);
    Ok(both.map(|((kind, state), said)| Judged { kind, state, said }).collect())
}

/// What GitOps tools should say: kstatus, and Argo CD.
fn expected(judged: &Judged) -> (&'static str, &'static str) {
    let conditions = judged.state["object"]["status"]["conditions"].as_array();
    let has = |r#type: &str, status: &str| {
        conditions.into_iter().flatten().any(|it| it["type"] == r#type && it["status"] == status)
    };
    match judged.state["meant"].as_str().unwrap_or_default() {
        "Leaving" => ("Terminating", "Progressing"),
        "New" | "Working" => ("InProgress", "Progressing"),
        "Stalled" => ("Failed", "Degraded"),
        "Paused" if has("Ready", "True") => ("Current", "Suspended"),
        "Paused" => ("InProgress", "Suspended"),
        // As a Job of Kubernetes: current once it is at work, progressing until its end.
        "Ready" if has("Succeeded", "Unknown") => ("Current", "Progressing"),
        "Ready" if judged.state["object"]["spec"]["suspend"] == true => ("Current", "Suspended"),
        "Ready" => ("Current", "Healthy"),
        // No tool says this, so the test fails.
        _ => ("no meaning of a state", ""),
    }
}

#[test]
fn gitops_tools_read_every_state_as_it_is_meant() -> Result<()> {
    let mut wrong = Vec::new();
    let judged = judged()?;
    assert!(judged.len() > 150, "only {} states", judged.len());
    for judged in &judged {
        let (kstatus, health) = expected(judged);
        let said = &judged.said;
        if said["kstatus"]["status"] != kstatus
            || said["flux"]["status"] != kstatus
            || said["health"]["status"] != health
        {
            let (kind, situation) = (&judged.kind, &judged.state["situation"]);
            wrong.push(format!("{kind} {situation}: {said}, not {kstatus} and {health}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_wrong_is_passed_on_in_our_words() -> Result<()> {
    for judged in judged()?.iter().filter(|judged| judged.state["meant"] == "Stalled") {
        let ready = &judged.state["object"]["status"]["conditions"][0];
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{} {} says nothing", judged.kind, judged.state["situation"]);
        assert_eq!(judged.said["kstatus"]["message"], message);
        let reason = ready["reason"].as_str().unwrap_or_default();
        assert_eq!(judged.said["health"]["message"], format!("{reason}: {message}"));
    }
    Ok(())
}

#[test]
fn the_page_of_the_documentation_is_what_they_say() -> Result<()> {
    let (file, page) = ("docs/src/reference/kstatus.md", page::page(&judged()?));
    let path = azureml_e2e::root().join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page)?;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "{file} is not what the tools say; UPDATE=1 writes it:\n{page}");
    Ok(())
}

#[test]
fn a_script_that_argo_cd_would_refuse_is_refused() {
    let object = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}});
    let refusal = |script: &str| {
        let question = json!([{"object": object, "script": script}]);
        azureml_control_plane::gitops::verdicts(&question)
            .map_or_else(|error| error.to_string(), |said| said.to_string())
    };
    for (script, why) in [
        ("return {status = string.upper('Healthy')}", "index a non-table"),
        ("while true do end", "context deadline exceeded"),
        ("return {status = 'Fine'}", "the status \"Fine\", which Argo CD does not know"),
        ("return 'Healthy'", "it returns a string, not a table"),
    ] {
        let said = refusal(script);
        assert!(said.contains(why), "{script}: {said}");
    }
    assert!(refusal("return {status = 'Healthy'}").contains("\"Healthy\""));
}
