//! The Terraform of `examples/azure` is what the book says: its roles are the files that the page on rights shows, at the scopes that the
//! test of the role in force uses, and its credential is for the chart's service account.
//! Expressions are evaluated with the names of `example.tfvars`. No provider is here, so arguments of `azurerm` are not checked.

use super::role::actions;
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::chart::{of_kind, rendered};
use azureml_e2e::scene::{GROUP, SUBSCRIPTION};
use hcl::eval::{Context, Evaluate as _, FuncDef, ParamType};
use hcl::{Block, Body, Map, Value, value};
use regex::Regex;
use serde_json::json;
use std::collections::BTreeSet;

const FOLDER: &str = "examples/azure/terraform";
/// The files of the roles, without their suffix.
const ROLES: [&str; 3] = ["role", "operations", "clusters"];
const WORKSPACE: &str = "Microsoft.MachineLearningServices/workspaces/mlw-team-a";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries/acrmlteams";
const STORAGE: &str = "Microsoft.Storage/storageAccounts/stmlteams";

/// The blocks of all files, and what their expressions may name.
struct Module {
    text: String,
    blocks: Vec<Block>,
    context: Context<'static>,
}

fn file(arguments: &[Value]) -> Result<Value, String> {
    let path = arguments[0].as_str().unwrap_or_default();
    std::fs::read_to_string(path).map(Value::from).map_err(|error| format!("{path}: {error}"))
}

fn jsondecode(arguments: &[Value]) -> Result<Value, String> {
    serde_json::from_str(arguments[0].as_str().unwrap_or_default()).map_err(|error| error.to_string())
}

/// JSON is YAML.
fn yamlencode(arguments: &[Value]) -> Result<Value, String> {
    serde_json::to_string(&arguments[0]).map(Value::from).map_err(|error| error.to_string())
}

fn merge(arguments: &[Value]) -> Value {
    let all = arguments.iter().filter_map(Value::as_object).flatten();
    Value::Object(all.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn setunion(arguments: &[Value]) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for one in arguments.iter().filter_map(Value::as_array).flatten() {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
    Value::Array(all)
}

impl Module {
    fn read() -> Result<Self> {
        let folder = azureml_e2e::root().join(FOLDER);
        let (mut text, mut blocks) = (String::new(), Vec::new());
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|suffix| suffix == "tf") {
                let part = std::fs::read_to_string(&path)?;
                blocks.extend(hcl::parse(&part).with_context(|| path.display().to_string())?.into_blocks());
                text += &part;
            }
        }
        ensure!(blocks.len() > 15, "the files are not found");
        let mut context = Context::new();
        let of = |parameter| FuncDef::builder().param(parameter);
        let any = |parameter| FuncDef::builder().variadic_param(parameter);
        context.declare_func("file", of(ParamType::String).build(|given| file(&given)));
        context.declare_func("jsondecode", of(ParamType::String).build(|given| jsondecode(&given)));
        context.declare_func("yamlencode", of(ParamType::Any).build(|given| yamlencode(&given)));
        context.declare_func(
            "merge",
            any(ParamType::object_of(ParamType::Any)).build(|given| Ok(merge(&given))),
        );
        context.declare_func(
            "setunion",
            any(ParamType::array_of(ParamType::Any)).build(|given| Ok(setunion(&given))),
        );
        context.declare_var("path", value!({ module = (folder.display().to_string()) }));
        let mut module = Self { text, blocks, context };
        module.declare_variables(&std::fs::read_to_string(folder.join("example.tfvars"))?)?;
        module.declare_locals()?;
        Ok(module)
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.identifier() == kind)
    }

    /// The variables: those of the example, and the defaults of the others.
    fn declare_variables(&mut self, example: &str) -> Result<()> {
        let mut given: Map<String, Value> = hcl::from_str(example)?;
        let mut all = Map::new();
        for block in self.of_type("variable") {
            let name = block.labels()[0].as_str();
            let value = match given.swap_remove(name) {
                Some(value) => value,
                None => attribute(block.body(), "default", &self.context)
                    .with_context(|| format!("example.tfvars has no {name}"))?,
            };
            all.insert(name.to_owned(), value);
        }
        ensure!(given.is_empty(), "these are no variables: {given:?}");
        self.context.declare_var("var", Value::Object(all));
        Ok(())
    }

    /// The locals, each once those that it names are known.
    fn declare_locals(&mut self) -> Result<()> {
        let parts = self.of_type("locals").flat_map(|block| block.body().attributes());
        let mut left: Vec<_> = parts.cloned().collect();
        let mut known: Map<String, Value> = Map::new();
        while !left.is_empty() {
            let before = left.len();
            let mut failed = String::new();
            left.retain(|part| match part.expr().evaluate(&self.context) {
                Ok(value) => known.insert(part.key().to_owned(), value).is_some(),
                Err(error) => {
                    failed = format!("local.{}: {error}", part.key());
                    true
                }
            });
            self.context.declare_var("local", Value::Object(known.clone()));
            ensure!(left.len() < before, "{failed}");
        }
        Ok(())
    }

    fn resource(&self, kind: &str, name: &str) -> Result<&Body> {
        let is_it = |block: &&Block| block.labels().iter().map(hcl::BlockLabel::as_str).eq([kind, name]);
        let found = self.of_type("resource").find(is_it);
        Ok(found.with_context(|| format!("there is no {kind}.{name}"))?.body())
    }

    fn local(&self, name: &str) -> Result<serde_json::Value> {
        let expression: hcl::Expression = format!("local.{name}").parse()?;
        Ok(serde_json::to_value(expression.evaluate(&self.context)?)?)
    }
}

/// The value of an attribute of a block.
fn attribute(body: &Body, key: &str, context: &Context<'_>) -> Result<Value> {
    let found = body.attributes().find(|attribute| attribute.key() == key);
    let found = found.with_context(|| format!("there is no {key}"))?;
    found.expr().evaluate(context).map_err(|error| anyhow::anyhow!("{key}: {error}"))
}

fn id(what: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{what}")
}

#[test]
fn the_roles_of_the_terraform_are_those_of_the_page() -> Result<()> {
    let module = Module::read()?;
    let body = module.resource("azurerm_role_definition", "operator")?;
    let roles = attribute(body, "for_each", &module.context)?;
    let roles = roles.as_object().context("no roles")?;
    assert_eq!(roles.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(ROLES));
    let permissions = body.blocks().find(|block| block.identifier() == "permissions").context("no rights")?;
    let mut names = BTreeSet::new();
    for (file, role) in roles {
        let mut context = module.context.clone();
        context.declare_var("each", value!({ key = (file.clone()), value = (role.clone()) }));
        let given = attribute(permissions.body(), "actions", &context)?;
        assert_eq!(serde_json::to_value(given)?, json!(actions(&format!("{file}.json"))?), "{file}");
        assert_eq!(attribute(permissions.body(), "not_actions", &context)?, value!([]), "{file}");
        let scope = format!("/subscriptions/{SUBSCRIPTION}");
        assert_eq!(attribute(body, "assignable_scopes", &context)?, value!([(scope)]), "{file}");
        names.insert(attribute(body, "name", &context)?.to_string());
    }
    assert_eq!(names.len(), ROLES.len(), "{names:?}");
    let copied = Regex::new("\"Microsoft[^\"]*/(read|write|delete|action)\"")?;
    assert!(!copied.is_match(&module.text), "an action is copied; it belongs into a file of a role");
    Ok(())
}

#[test]
fn the_terraform_assigns_each_role_where_it_is_needed() -> Result<()> {
    let module = Module::read()?;
    // As `permissions::` assigns them, with which the story is told to its end.
    let expected = json!({
        id(WORKSPACE): "role",
        id(REGISTRY): "role",
        format!("/subscriptions/{SUBSCRIPTION}"): "operations",
    });
    assert_eq!(module.local("scopes")?, expected);
    let roles = module.local("cluster_roles")?;
    let roles = roles.as_object().context("no roles of clusters")?.values();
    let mut roles: Vec<_> = roles.map(|one| (one["role"].to_string(), one["scope"].to_string())).collect();
    roles.sort();
    let quoted = |role: &str, on: &str| (json!(role).to_string(), json!(id(on)).to_string());
    let expected = [quoted("AcrPull", REGISTRY), quoted("Storage Blob Data Contributor", STORAGE)];
    assert_eq!(roles, expected);
    for name in ["operator", "built_in", "cluster", "operator_gives"] {
        module.resource("azurerm_role_assignment", name)?;
    }
    Ok(())
}

#[test]
fn the_credential_of_the_terraform_is_for_the_account_of_the_chart() -> Result<()> {
    let module = Module::read()?;
    let objects = rendered("azureml-system", &[])?;
    let account = &of_kind(&objects, "ServiceAccount")?["metadata"];
    let part = |key: &str| account[key].as_str().context("no account");
    let subject = format!("system:serviceaccount:{}:{}", part("namespace")?, part("name")?);
    let body = module.resource("azurerm_federated_identity_credential", "operator")?;
    assert_eq!(attribute(body, "subject", &module.context)?, Value::from(subject.clone()));
    assert_eq!(attribute(body, "audience", &module.context)?, value!(["api://AzureADTokenExchange"]));
    for page in ["sign-in", "workload-identity"] {
        let text = super::pages::text(&format!("docs/src/how-to/{page}.md"))?;
        ensure!(text.contains(&subject), "{page} does not name {subject}");
    }
    Ok(())
}

#[test]
fn the_output_of_the_terraform_is_values_of_the_chart() -> Result<()> {
    let module = Module::read()?;
    let mut context = module.context.clone();
    let (client, tenant) = ("aaaaaaaa-0000-4000-8000-000000000001", "99999999-0000-4000-8000-000000000001");
    let made = value!({ operator = { client_id = client, tenant_id = tenant } });
    context.declare_var("azurerm_user_assigned_identity", made);
    let output = module.of_type("output").find(|block| block.labels()[0].as_str() == "values");
    let values = attribute(output.context("no values")?.body(), "value", &context)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), values.as_str().context("no text")?)?;
    let objects = rendered("azureml-system", &["--values", &file.path().display().to_string()])?;
    let annotations = &of_kind(&objects, "ServiceAccount")?["metadata"]["annotations"];
    assert_eq!(annotations["azure.workload.identity/client-id"], client);
    assert_eq!(annotations["azure.workload.identity/tenant-id"], tenant);
    Ok(())
}

#[test]
fn what_the_terraform_names_is_declared_and_what_it_declares_is_named() -> Result<()> {
    let module = Module::read()?;
    let labels = |block: &Block| {
        let labels: Vec<&str> = block.labels().iter().map(hcl::BlockLabel::as_str).collect();
        labels.join(".")
    };
    let mut declared: BTreeSet<String> =
        module.of_type("variable").map(|block| format!("var.{}", labels(block))).collect();
    let locals = module.of_type("locals").flat_map(|block| block.body().attributes());
    declared.extend(locals.map(|local| format!("local.{}", local.key())));
    // A resource may be there without another one that names it.
    let resources: Vec<String> = module.of_type("resource").map(labels).collect();
    let name = Regex::new(r"\b(var|local|azurerm_\w+)\.\w+")?;
    let named: BTreeSet<String> = name.find_iter(&module.text).map(|hit| hit.as_str().to_owned()).collect();
    let data = module.of_type("data").map(labels);
    let known: BTreeSet<String> = resources.into_iter().chain(data).chain(declared.iter().cloned()).collect();
    let undeclared: Vec<_> = named.difference(&known).collect();
    let unused: Vec<_> = declared.difference(&named).collect();
    assert!(undeclared.is_empty() && unused.is_empty(), "undeclared {undeclared:?}, unused {unused:?}");
    Ok(())
}
