//! The Bicep of `examples/azure`: a grammar reads it, what it names is declared, its modules are called with what they take, and its roles
//! are the files that the page on rights shows. Its compiler is not here: types, functions' arguments and properties of Azure are not checked.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_e2e::chart::{of_kind, rendered};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tree_sitter::{Node, Parser};

const FOLDER: &str = "examples/azure/bicep";
const MAIN: &str = "main.bicep";
/// The functions of Bicep that the files call.
const FUNCTIONS: [&str; 11] = [
    "description",
    "empty",
    "guid",
    "last",
    "loadJsonContent",
    "resourceGroup",
    "split",
    "subscription",
    "subscriptionResourceId",
    "toLower",
    "uniqueString",
];

/// The modules that assign our roles, and which one each assigns: as `permissions::` does, with which the story is told to its end.
const ASSIGNED: [(&str, &str); 4] = [
    ("onWorkspaces", "role"),
    ("onRegistries", "role"),
    ("onSubscription", "operations"),
    ("onSubnets", "clusters"),
];

/// What one file declares and names.
#[derive(Default)]
struct File {
    /// Each parameter, with its default as it is written.
    parameters: BTreeMap<String, Option<String>>,
    outputs: BTreeSet<String>,
    /// Everything that an expression may name.
    declared: BTreeSet<String>,
    named: BTreeSet<String>,
    called: BTreeSet<String>,
    /// Each module with its file and the parameters that it is given.
    modules: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// Variables that hold a file of JSON.
    loaded: BTreeMap<String, String>,
    /// The actions of each role, as they are written.
    actions: BTreeMap<String, String>,
    /// Members as they are written, such as `operator.outputs.clientId`.
    members: BTreeSet<String>,
}

/// A node of the tree with the text that it is read from.
#[derive(Clone, Copy)]
struct Part<'a> {
    node: Node<'a>,
    text: &'a str,
}

impl<'a> Part<'a> {
    fn text(self) -> &'a str {
        self.text.get(self.node.byte_range()).unwrap_or_default()
    }

    fn children(self) -> Vec<Self> {
        let mut cursor = self.node.walk();
        self.node.named_children(&mut cursor).map(|node| Part { node, text: self.text }).collect()
    }

    /// The key and the value of a property, as they are written.
    fn pair(self) -> (String, String) {
        let parts = self.children();
        let text = |place: usize| parts.get(place).map(|part| part.text().to_owned()).unwrap_or_default();
        (text(0), text(1))
    }

    /// Everything below, in the order of the text.
    fn all(self) -> Vec<Self> {
        let below = self.children().into_iter().flat_map(Self::all);
        std::iter::once(self).chain(below).collect()
    }

    fn is(self, kind: &str) -> bool {
        self.node.kind() == kind
    }

    /// The values of a property, wherever it stands below.
    fn properties(self, key: &str) -> Vec<Self> {
        let properties = self.all().into_iter().filter(|part| part.is("object_property"));
        let parts = properties.map(Self::children).filter(|parts| parts[0].text() == key);
        parts.filter_map(|parts| parts.last().copied()).collect()
    }
}

impl File {
    fn read(name: &str) -> Result<Self> {
        let text = std::fs::read_to_string(azureml_e2e::root().join(FOLDER).join(name))?;
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bicep::LANGUAGE.into())?;
        let tree = parser.parse(&text, None).context("not parsed")?;
        let root = Part { node: tree.root_node(), text: &text };
        let wrong = root.all().into_iter().find(|part| part.node.is_error() || part.node.is_missing());
        if let Some(part) = wrong {
            let at = part.node.start_position();
            let line = part.text().lines().next().unwrap_or_default();
            bail!("{name}:{}:{}: this is no Bicep: {line}", at.row + 1, at.column + 1);
        }
        ensure!(!root.node.has_error(), "{name}: something is missing");
        let mut file = Self::default();
        for part in root.all() {
            file.take(part);
        }
        Ok(file)
    }

    fn take(&mut self, part: Part<'_>) {
        let parts = part.children();
        let text = |place: usize| parts.get(place).map(|part| part.text().to_owned()).unwrap_or_default();
        match part.node.kind() {
            "parameter_declaration" => {
                self.parameters.insert(text(0), parts.get(2).map(|part| part.text().to_owned()));
                self.declared.insert(text(0));
            }
            "output_declaration" => {
                self.outputs.insert(text(0));
            }
            "module_declaration" => {
                let given = part.properties("params").into_iter().flat_map(Part::children).map(Part::pair);
                self.modules.insert(text(0), (text(1).trim_matches('\'').to_owned(), given.collect()));
                self.declared.insert(text(0));
            }
            "variable_declaration" => {
                let value = text(1);
                if let Some(path) = value.strip_prefix("loadJsonContent('") {
                    self.loaded.insert(text(0), path.trim_end_matches("')").to_owned());
                }
                self.declared.insert(text(0));
            }
            "resource_declaration" => {
                let actions = part.properties("actions").into_iter();
                self.actions.extend(actions.map(|actions| (text(0), actions.text().to_owned())));
                self.declared.insert(text(0));
            }
            "for_statement" => {
                self.declared.insert(text(0));
            }
            "member_expression" => {
                self.members.insert(part.text().to_owned());
            }
            "identifier" => self.name(part),
            _ => {}
        }
    }

    /// An identifier: what is called, what is named, or neither, as the key of a property is.
    fn name(&mut self, part: Part<'_>) {
        let Some(parent) = part.node.parent() else { return };
        let is_first = parent.named_child(0) == Some(part.node);
        let is_key =
            is_first && (parent.kind() == "object_property" || parent.kind().ends_with("_declaration"));
        match parent.kind() {
            "call_expression" if is_first => self.called.insert(part.text().to_owned()),
            _ if is_key => false,
            _ => self.named.insert(part.text().to_owned()),
        };
    }
}

fn files() -> Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(azureml_e2e::root().join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "bicep") {
            let name = path.file_name().and_then(|name| name.to_str()).context("no name")?;
            files.insert(name.to_owned(), File::read(name)?);
        }
    }
    ensure!(files.len() > 3 && files.contains_key(MAIN), "the files are not found");
    Ok(files)
}

#[test]
fn the_bicep_names_what_is_declared_and_declares_what_is_named() -> Result<()> {
    let functions = BTreeSet::from(FUNCTIONS.map(str::to_owned));
    for (name, file) in files()? {
        let unknown: Vec<_> = file.named.difference(&file.declared).collect();
        assert!(unknown.is_empty(), "{name} does not declare {unknown:?}");
        let unknown: Vec<_> = file.called.difference(&functions).collect();
        assert!(unknown.is_empty(), "{name} calls {unknown:?}; is it a function of Bicep?");
        let parameters: BTreeSet<String> = file.parameters.into_keys().collect();
        let unused: Vec<_> = parameters.difference(&file.named).collect();
        assert!(unused.is_empty(), "{name} does not use {unused:?}");
    }
    Ok(())
}

#[test]
fn the_modules_of_the_bicep_are_given_what_they_take() -> Result<()> {
    let files = files()?;
    let mut calls = 0;
    for (name, file) in &files {
        for (module, (path, given)) in &file.modules {
            let called = files.get(path).with_context(|| format!("{name}: {module}: there is no {path}"))?;
            let taken: BTreeSet<String> = called.parameters.keys().cloned().collect();
            assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), taken, "{name}: {module}");
            let read =
                file.members.iter().filter_map(|member| member.strip_prefix(&format!("{module}.outputs.")));
            for output in read {
                assert!(called.outputs.contains(output), "{name}: {path} has no output {output}");
            }
            calls += 1;
        }
    }
    assert!(calls > 8, "only {calls} modules are found");
    Ok(())
}

#[test]
fn the_roles_of_the_bicep_are_the_files_of_the_page() -> Result<()> {
    let files = files()?;
    let main = &files[MAIN];
    let expected = ["role", "operations", "clusters"];
    let loaded = expected.map(|name| (name.to_owned(), format!("../{name}.json")));
    assert_eq!(main.loaded, BTreeMap::from(loaded));
    let actions = expected.map(|name| (format!("{name}Definition"), format!("{name}.Actions")));
    assert_eq!(main.actions, BTreeMap::from(actions));
    for (module, role) in ASSIGNED {
        let given = &main.modules[module].1["roleDefinitionId"];
        assert_eq!(*given, format!("{role}Definition.id"), "{module}");
    }
    assert_eq!(main.modules["clusterIdentity"].1["operatorRoleId"], "clustersDefinition.id");
    for (name, file) in &files {
        assert!(name == MAIN || file.actions.is_empty(), "{name} has a role of its own");
    }
    for name in expected {
        assert!(!super::role::actions(&format!("{name}.json"))?.is_empty(), "{name}.json has no actions");
    }
    Ok(())
}

#[test]
fn the_example_of_the_bicep_fits_and_its_account_is_that_of_the_chart() -> Result<()> {
    let main = File::read(MAIN)?;
    let path = azureml_e2e::root().join(FOLDER).join("example.parameters.json");
    let example: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let given = example["parameters"].as_object().context("no parameters")?;
    for name in given.keys() {
        assert!(main.parameters.contains_key(name), "{name} is no parameter");
    }
    for (name, default) in &main.parameters {
        assert!(default.is_some() || given.contains_key(name), "the example has no {name}");
    }
    let objects = rendered("azureml-system", &[])?;
    let account = &of_kind(&objects, "ServiceAccount")?["metadata"];
    for (parameter, key) in [("namespace", "namespace"), ("serviceAccount", "name")] {
        let default = main.parameters[parameter].as_deref().unwrap_or_default();
        assert_eq!(account[key], default.trim_matches('\''), "{parameter}");
    }
    Ok(())
}
