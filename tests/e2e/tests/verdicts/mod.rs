//! What kstatus, Flux and Argo CD make of every state that an object can be in: judged by their own code, held against
//! what is meant, and kept as a page of the documentation. `UPDATE=1` writes the page.

mod page;

use anyhow::{Context as _, Result};
use azureml_e2e::gitops::{State, key, scripts, states};
use serde_json::{Value, json};

/// A state of an object with what is said of it.
struct Judged {
    state: State,
    said: Value,
}

fn judged() -> Result<Vec<Judged>> {
    let (scripts, states) = (scripts()?, states()?);
    let ask = |state: &State| json!({"object": state.object, "script": scripts[key(&state.kind)]});
    let said = azureml_control_plane::gitops::verdicts(&states.iter().map(ask).collect())?;
    let said = said.as_array().context("the verdicts are no list")?.clone();
    Ok(states.into_iter().zip(said).map(|(state, said)| Judged { state, said }).collect())
}

#[test]
fn gitops_tools_read_every_state_as_it_is_meant() -> Result<()> {
    let mut wrong = Vec::new();
    let judged = judged()?;
    assert!(judged.len() > 150, "only {} states", judged.len());
    for judged in &judged {
        let (state, said) = (&judged.state, &judged.said);
        let (kstatus, health) = state.expected();
        if said["kstatus"]["status"] != kstatus
            || said["flux"]["status"] != kstatus
            || said["health"]["status"] != health
        {
            wrong.push(format!("{} {}: {said}, not {kstatus} and {health}", state.kind, state.situation));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_wrong_is_passed_on_in_our_words() -> Result<()> {
    for judged in judged()?.iter().filter(|judged| judged.state.meant == "Stalled") {
        let ready = &judged.state.object["status"]["conditions"][0];
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{} {} says nothing", judged.state.kind, judged.state.situation);
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
