//! Lists that are written by hand: each kind, each file of tests and each file that the page on the architecture names is in them.

use super::{output, root};
use anyhow::{Context as _, Result};
use std::path::Path;

#[test]
fn every_kind_is_in_every_list_of_kinds() -> Result<()> {
    let chart = "charts/azureml-operator/templates";
    let mut missing = Vec::new();
    for definition in azureml_crds::all()? {
        let (kind, many) = (definition.spec.names.kind.clone(), definition.spec.names.plural.clone());
        let schema = serde_json::to_value(&definition.spec.versions[0].schema)?;
        let spec = &schema["openAPIV3Schema"]["properties"]["spec"]["properties"];
        let mut lists = vec![
            (format!("{chart}/_helpers.tpl"), many.clone()),
            // Those of edit, or those of admin.
            (format!("{chart}/userroles.yaml"), many),
            ("examples/argo-cd/values.yaml".to_owned(), format!("azureml.dev_{kind}:")),
            ("docs/src/SUMMARY.md".to_owned(), format!("reference/kinds/{}.md", kind.to_lowercase())),
            ("docs/src/reference/kinds.md".to_owned(), kind.clone()),
            ("charts/azureml-operator/Chart.yaml".to_owned(), format!("- kind: {kind}\n")),
        ];
        for named in ["workspace", "pipeline"] {
            if spec[format!("{named}Ref")].is_object() {
                lists.push((format!("controller/src/kinds/{named}.rs"), format!("{kind}::KIND")));
            }
        }
        for (path, name) in lists {
            let text = std::fs::read_to_string(root().join(&path)).with_context(|| path.clone())?;
            if !text.contains(&name) {
                missing.push(format!("{path} does not name {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(())
}

/// Packages whose tests are few programs, with those of their files in which each other file has to be named.
const PROGRAMS: [(&str, &[&str]); 3] =
    [("tests/control-plane", &["all"]), ("tests/e2e", &["e2e", "audited"]), ("tests/simulator", &["all"])];

#[test]
fn no_file_of_tests_is_left_out_of_its_program() -> Result<()> {
    for (package, programs) in PROGRAMS {
        let read = |name: &str| std::fs::read_to_string(root().join(package).join(name));
        let manifest = read("Cargo.toml")?;
        let named =
            programs.iter().map(|name| read(&format!("tests/{name}.rs"))).collect::<Result<String, _>>()?;
        let mut found = 0;
        for entry in std::fs::read_dir(root().join(package).join("tests"))? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).context("no name")?.to_owned();
            let is_program = manifest.contains(&format!("[[test]]\nname = \"{name}\""));
            let is_folder = ["main.rs", "mod.rs"].iter().any(|file| path.join(file).exists());
            let is_code = is_folder || path.extension().is_some_and(|kind| kind == "rs");
            if !is_code || programs.contains(&name.as_str()) || is_program {
                continue;
            }
            // What others share is visible in the program.
            let is_named =
                ["", "pub(crate) "].iter().any(|seen| named.contains(&format!("\n{seen}mod {name};")));
            assert!(is_named, "no program of {package} names {name}");
            found += 1;
        }
        assert!(found > 5, "{package}: only {found} files of tests are found");
    }
    Ok(())
}

#[test]
fn the_page_about_the_architecture_names_what_is_there() -> Result<()> {
    let page = std::fs::read_to_string(root().join("docs/src/architecture.md"))?;
    let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    // Those of a kind that is yet to be written.
    let is_new = |name: &str| name.ends_with("/x.rs") || name.ends_with("/x/") || name.ends_with("ml_x.rs");
    let named: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "rs") || name.ends_with('/'))
        .filter(|name| !is_new(name))
        .collect();
    assert!(named.len() > 40, "the page names only {named:?}");
    let is_there = |name: &&&str| {
        let (name, is_folder) = (format!("/{name}"), name.ends_with('/'));
        listed.lines().any(|path| {
            let path = format!("/{path}");
            if is_folder { path.contains(&name) } else { path.ends_with(&name) }
        })
    };
    let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "docs/src/architecture.md names {missing:?}, which is not there");
    Ok(())
}
