//! What is decided of what was fetched: the context of an image, and the files of data.

use super::Table;
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Error, Result, bail};
use azureml_crds::{MLData, MLEnvironment};
use azureml_plan::dockerfile::Context;
use azureml_plan::source::{Held, Paths, Sources};
use azureml_plan::{Action, Decide as _, data, environment};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

const HASH: &str = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592";

/// A source that was fetched.
fn fetched(field: &str, names: &[&str], dockerfile: Option<&str>) -> Sources {
    let names = || names.iter().copied();
    let mut sources = Sources::default();
    let context = Some(Arc::new(Context::of(names(), dockerfile.map(str::to_owned))));
    let (revision, hash) = ("5f0c7e1".to_owned(), HASH.to_owned());
    sources.found(field.to_owned(), Held { revision, hash, paths: Paths::of(names()), context });
    sources
}

const GIT: &str = "git: {url: 'https://github.com/org/models', ref: {branch: main}}";

#[test]
fn contexts() -> Result<()> {
    let mut table = Table::default();
    let mut row = |situation: &str, build: &str, sources: Sources| -> Result<()> {
        let spec = format!("{{workspaceRef: {{name: prod}}, build: {{{build}}}}}");
        let refs = environment::Refs { sources, ..environment::Refs::new(workspace(), owner("r")) };
        let nothing = environment::Seen::default();
        match plan(&object::<MLEnvironment>("r", &spec)?, &refs, &nothing, &ask()) {
            Ok(plan) => table.row(situation, &plan),
            Err(error) => writeln!(table.text, "{situation}\n  {error}\n")?,
        }
        Ok(())
    };
    let inside = format!("dockerfilePath: docker/Dockerfile, context: {{{GIT}}}");
    let files = ["docker/Dockerfile", "src/a.R"];
    let text = "FROM r-base:4.4\nCOPY src /opt\n";
    row("a Dockerfile of the context", &inside, fetched("build.context", &files, Some(text)))?;
    row("the context has no such Dockerfile", &inside, fetched("build.context", &["src/a.R"], None))?;
    row(
        "its Dockerfile takes what is not there",
        &inside,
        fetched("build.context", &files, Some("FROM r-base:4.4\nCOPY lib /opt\n")),
    )?;
    row(
        "its Dockerfile takes the image of another namespace",
        &inside,
        fetched("build.context", &files, Some("FROM r.azurecr.io/azureml-operator/x/y/z:1\n")),
    )?;
    let beside = "dockerfile: \"FROM r-base:4.4\\nCOPY a.R /opt\\n\", files: {a.R: x}";
    row("a Dockerfile with files beside it", beside, fetched("build.files", &["a.R"], None))?;
    row("a Dockerfile without its files", "dockerfile: \"FROM a\\nCOPY a.R /opt\\n\"", Sources::default())?;
    insta::assert_snapshot!(table.text);
    Ok(())
}

#[test]
fn another_context_is_another_content_wherever_it_comes_from() -> Result<()> {
    let spec = |source: &str| {
        format!("{{workspaceRef: {{name: prod}}, build: {{dockerfile: FROM a, context: {{{source}}}}}}}")
    };
    let content = |source: &str, hash: &str| -> Result<String> {
        let environment: MLEnvironment = object("r", &spec(source))?;
        Ok(environment::content_name(&environment.spec, Some(hash), &environment::Images::default()))
    };
    assert_eq!(content(GIT, HASH)?, content("configMap: {name: c}", HASH)?);
    assert_ne!(content(GIT, HASH)?, content(GIT, "other")?);
    Ok(())
}

#[test]
fn files_of_data() -> Result<()> {
    let mut table = Table::default();
    for (r#type, names) in [
        ("uri_folder", vec!["a.csv", "b.csv"]),
        ("uri_file", vec!["a.csv"]),
        ("uri_file", vec!["a.csv", "b.csv"]),
        ("mltable", vec!["MLTable", "a.csv"]),
        ("mltable", vec!["a.csv"]),
        ("uri_folder", vec![]),
    ] {
        let spec = format!("{{workspaceRef: {{name: prod}}, type: {type}, source: {{{GIT}}}}}");
        let taxi: MLData = object("taxi", &spec)?;
        let refs = data::Refs {
            workspace: workspace(),
            owner: owner("taxi"),
            sources: fetched("source", &names, None),
        };
        let situation = format!("{type} of {}", names.join(" and "));
        match plan(&taxi, &refs, &None, &ask()) {
            Ok(plan) => table.row(&situation, &plan),
            Err(error) => writeln!(table.text, "{situation}\n  {error}\n")?,
        }
    }
    insta::assert_snapshot!(table.text);
    Ok(())
}

#[test]
fn files_are_ours_in_any_datastore_of_the_workspace_and_nowhere_else() -> Result<()> {
    let spec = format!("{{workspaceRef: {{name: prod}}, type: uri_file, source: {{{GIT}}}}}");
    let taxi: MLData = object("taxi", &spec)?;
    let sources = fetched("source", &["a.csv"], None);
    let refs = data::Refs { workspace: workspace(), owner: owner("taxi"), sources };
    let wanted = taxi.wanted(&refs).map_err(Error::msg)?;
    let first = plan(&taxi, &refs, &None, &ask()).map_err(Error::msg)?;
    let [Action::Upload { body, id, .. }] = first.actions.as_slice() else { bail!("{first:?}") };
    assert_eq!(id, &wanted.id);
    let place =
        "azureml://subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/rg-mlops/workspaces";
    let path = format!("paths/LocalUpload/{HASH}/data/a.csv");
    for (uri, reason) in [
        (format!("{place}/mlw-prod/datastores/workspaceblobstore/{path}"), "Succeeded"),
        (format!("azureml://datastores/other/{path}"), "Succeeded"),
        (format!("{place}/mlw-other/datastores/workspaceblobstore/{path}"), "OwnedByAnother"),
        (format!("{place}/mlw-prod/datastores/workspaceblobstore/{path}x"), "OwnedByAnother"),
        (format!("https://example.com/{path}"), "OwnedByAnother"),
    ] {
        let mut have = body["properties"].clone();
        have["dataUri"] = json!(uri);
        let seen = Some(json!({"properties": have}));
        let plan = plan(&taxi, &refs, &seen, &ask()).map_err(Error::msg)?;
        assert_eq!(plan.verdict.reason.as_str(), reason, "{uri}");
    }
    Ok(())
}
