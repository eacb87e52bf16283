//! Environments: files and those in place become MLEnvironments, and what a job names becomes a reference.
//!
//! In: environment files, maps and texts. Out: objects and references. The same environment twice is one object.

use super::code::{self, Source, digits};
use super::compute::tags;
use super::context::{Context, Object, local};
use super::data::put_azure_name;
use super::fields::Fields;
use super::out::{Map, Out};
use super::read::{Literal, Node, Place, Value};
use super::write::yaml;
use std::rc::Rc;

const WAYS: [(&str, &str); 4] = [
    ("inference_config", "it is for online endpoints, which the operator does not make"),
    ("os_type", "nodes run Linux"),
    ("datastore", "a build context is in the manifest, a ConfigMap or Git"),
    ("docker", "write image or build"),
];

/// The environment that a job names.
pub fn reference(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<Map> {
    let Value::Scalar(scalar) = &node.value else {
        return object(ctx, node, key).map(|name| Map::new().with("ref", name));
    };
    let text = scalar.text.trim();
    let file =
        ctx.given("environment", text).or_else(|| local(text).map(|path| Context::beside(&node.place, path)));
    if let Some(path) = file {
        let root = ctx.document(&path, &node.place, key)?;
        return object(ctx, &root, "").map(|name| Map::new().with("ref", name));
    }
    if !ctx.is_versioned(text, &node.place, key) {
        return None;
    }
    Some(Map::new().with("id", text))
}

/// The object of an environment: made when its content is met first.
pub fn object(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<String> {
    let place = format!("{} {key}", node.place);
    if let Some(name) = ctx.known("environment at", &place) {
        return Some(name);
    }
    let fields = Fields::of(node, key, &mut ctx.findings);
    let azure_name = fields.text("name", &mut ctx.findings);
    let mut spec = ctx.spec();
    put_azure_name(ctx, &mut spec, &fields, azure_name.as_deref());
    let (image, conda, build) =
        (fields.text("image", &mut ctx.findings), fields.node("conda_file"), fields.node("build"));
    match (image, conda, build) {
        (Some(text), None, None) => spec.put("image", image_name(&text)),
        (Some(text), Some(conda), None) => {
            let file = conda_text(ctx, conda, &fields.path("conda_file"))?;
            spec.put("conda", Map::new().with("image", image_name(&text)).with("file", file));
        }
        (None, None, Some(build)) => spec.put("build", built(ctx, build, &fields.path("build"))?),
        _ => {
            let message = "write image, image with conda_file, or build; an environment is one of the three";
            ctx.findings.refuse(&node.place, key, message);
            return None;
        }
    }
    spec.put_some("description", fields.text("description", &mut ctx.findings));
    spec.put_full("tags", tags(ctx, &fields));
    fields.without_effect("version", "versions follow from the content here", &mut ctx.findings);
    if fields.text("os_type", &mut ctx.findings).is_some_and(|system| !system.eq_ignore_ascii_case("linux")) {
        ctx.findings.refuse(
            fields.place_of("os_type"),
            &fields.path("os_type"),
            "nodes run Linux; use an image of Linux",
        );
    }
    fields.finish(&WAYS, &mut ctx.findings);
    let name = kept(ctx, azure_name.as_deref(), spec, &node.place);
    ctx.know("environment at", &place, &name);
    Some(name)
}

/// One object for each content.
fn kept(ctx: &mut Context<'_>, azure_name: Option<&str>, spec: Map, place: &Place) -> String {
    let content = Out::Map(spec.clone()).json().to_string();
    if let Some(name) = ctx.known("environment", &content) {
        return name;
    }
    let wish = azure_name.map_or_else(|| format!("{}-{}", speaking(&spec), digits(&content)), str::to_owned);
    let name = ctx.name("MLEnvironment", &wish);
    ctx.know("environment", &content, &name);
    let is_second = azure_name.is_some() && name != super::names::object(&wish);
    let notes = if is_second {
        vec![format!("Another environment of the files is called {wish} too, with another content.")]
    } else {
        Vec::new()
    };
    ctx.objects.push(Object {
        kind: "MLEnvironment",
        name: name.clone(),
        from: Rc::clone(&place.file),
        notes,
        spec,
    });
    name
}

/// The image's own name, for an environment without one.
fn speaking(spec: &Map) -> String {
    let spec = Out::Map(spec.clone()).json();
    let image = spec["image"].as_str().or_else(|| spec["conda"]["image"].as_str()).unwrap_or("built");
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split([':', '@']).next().unwrap_or(last).to_owned()
}

/// The name of an image with its registry: without one, Docker's own is meant.
#[must_use]
pub fn image_name(text: &str) -> Out {
    let first = text.split('/').next().unwrap_or(text);
    let is_registry = text.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    match (is_registry, text.contains('/')) {
        (true, _) => text.into(),
        (false, true) => Out::from(format!("docker.io/{text}")).noted("the file leaves the registry out"),
        (false, false) => {
            Out::from(format!("docker.io/library/{text}")).noted("the file leaves the registry out")
        }
    }
}

/// The text of a conda file: of the file that is named, or of the map in place.
fn conda_text(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<String> {
    if let Value::Scalar(scalar) = &node.value {
        let path = local(&scalar.text).unwrap_or(&scalar.text);
        return ctx.text(&Context::beside(&node.place, path), &node.place, key);
    }
    match yaml(&tree(node)) {
        Ok(text) => Some(text),
        Err(why) => {
            ctx.findings.fail(&node.place, key, &why);
            None
        }
    }
}

/// A tree as it is, with the types that the client of Azure ML reads.
#[must_use]
pub fn tree(node: &Node) -> Out {
    match &node.value {
        Value::Null => Out::Map(Map::new()),
        Value::Scalar(scalar) => match scalar.literal() {
            Literal::Boolean(truth) => truth.into(),
            Literal::Integer(number) | Literal::Decimal(number) => number.into(),
            Literal::Text(text) => text.into(),
        },
        Value::List(items) => Out::List(items.iter().map(tree).collect()),
        Value::Map(entries) => {
            Out::Map(entries.iter().map(|entry| (entry.key.clone(), tree(&entry.node))).collect())
        }
    }
}

/// `build`: the Dockerfile in place where it is alone or the other files are small, else with its context elsewhere.
fn built(ctx: &mut Context<'_>, node: &Node, key: &str) -> Option<Map> {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let path = fields.text("path", &mut ctx.findings).unwrap_or_else(|| ".".to_owned());
    let dockerfile =
        fields.text("dockerfile_path", &mut ctx.findings).unwrap_or_else(|| "Dockerfile".to_owned());
    let place = fields.place_of("path").clone();
    fields.finish(&WAYS, &mut ctx.findings);
    match code::source(ctx, &path, &place, key)? {
        Source::Inline(mut files) => {
            let Some(text) = files.remove(&dockerfile) else {
                let message = format!(
                    "{path} has no {dockerfile}; correct dockerfile_path, or put the Dockerfile there"
                );
                ctx.findings.fail(&place, key, &message);
                return None;
            };
            let mut build = Map::new().with("dockerfile", text);
            build.put_full("files", code::texts(files));
            Some(build)
        }
        Source::Elsewhere("asset", _) => {
            let message = format!("{path} is code in Azure ML, which no image is built of; write the folder");
            ctx.findings.refuse(&place, key, &message);
            None
        }
        elsewhere @ Source::Elsewhere(..) => {
            let mut build = Map::new();
            build.put("dockerfilePath", dockerfile);
            build.put("context", elsewhere.out());
            Some(build)
        }
    }
}
