//! The manifests of the how-to, made to fit a test: its namespace, and its repository.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

const HOW_TO: &str = "docs/src/how-to/gitops.md";

/// The YAML of a page, block by block.
fn blocks(page: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(azureml_e2e::root().join(page)).context(page.to_owned())?;
    // Behind the language there may be a mark for those who run the book.
    let blocks = text.split("\n```yaml").skip(1).filter_map(|rest| Some(rest.split_once('\n')?.1));
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    Ok(blocks.map(str::to_owned).collect())
}

/// Every object of the page.
fn all() -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for block in blocks(HOW_TO)? {
        let read: Vec<Value> = serde_saphyr::from_multiple(&block).with_context(|| block.clone())?;
        objects.extend(read.into_iter().filter(|object| object["kind"].is_string()));
    }
    Ok(objects)
}

/// The account, the repository, and the Kustomizations with these names, as a list for kubectl.
pub fn of_the_how_to(namespace: &str, url: &str, kustomizations: &[&str]) -> Result<String> {
    let mut wanted = Vec::new();
    for mut object in all()? {
        object["metadata"]["namespace"] = namespace.into();
        match object["kind"].as_str().unwrap_or_default() {
            "ServiceAccount" => {}
            // The folders of the examples have the workspace and the clusters too, which a team's account may not write.
            "Role" => {
                let kinds =
                    object["rules"][0]["resources"].as_array_mut().context("the Role names no kinds")?;
                kinds.extend(["mlworkspaces", "mlcomputes"].map(Value::from));
            }
            "RoleBinding" => object["subjects"][0]["namespace"] = namespace.into(),
            "GitRepository" => object["spec"]["url"] = url.into(),
            "Kustomization" if kustomizations.iter().any(|name| object["metadata"]["name"] == *name) => {
                object["spec"]["targetNamespace"] = namespace.into();
                let path = object["spec"]["path"].as_str().unwrap_or_default();
                if path != "./runs" {
                    object["spec"]["path"] = path.replace("./", "./examples/").into();
                }
            }
            _ => continue,
        }
        wanted.push(object);
    }
    ensure!(wanted.len() == 4 + kustomizations.len(), "{HOW_TO} has not all of {kustomizations:?}");
    Ok(serde_json::json!({"apiVersion": "v1", "kind": "List", "items": wanted}).to_string())
}

/// The block of the page that has a certain text.
pub fn block(text: &str) -> Result<String> {
    let block = blocks(HOW_TO)?.into_iter().find(|block| block.contains(text));
    block.with_context(|| format!("{HOW_TO} shows no {text:?}"))
}

#[test]
fn the_page_shows_the_files_for_argo_cd() -> Result<()> {
    let page = "docs/src/how-to/argo-cd.md";
    let blocks = blocks(page)?;
    for file in ["examples/argo-cd/values.yaml", "examples/argo-cd/application.yaml"] {
        let text = std::fs::read_to_string(azureml_e2e::root().join(file))?;
        ensure!(
            blocks.iter().any(|block| text.trim_end().ends_with(block.trim_end())),
            "{page} does not show {file}"
        );
    }
    Ok(())
}
