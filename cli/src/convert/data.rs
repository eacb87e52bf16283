//! Data: assets and local data become MLData, and what an input names becomes a path or a reference.
//!
//! In: data files and the texts of `path`. Out: objects, paths and references.

use super::code::{self, Source};
use super::compute::tags;
use super::context::{Context, Object, local};
use super::fields::Fields;
use super::files::stem;
use super::names::azure;
use super::out::Map;
use super::read::{Node, Place};
use std::rc::Rc;

/// Where data is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Where {
    /// An address or a name in Azure.
    Path(String),
    /// An MLData of this namespace.
    Ref(String),
}

impl Where {
    /// As the field `path` or `ref`.
    pub fn put(self, map: &mut Map) {
        match self {
            Self::Path(path) => map.put("path", path),
            Self::Ref(name) => map.put("ref", name),
        }
    }
}

/// What the path of an input means.
pub fn place(ctx: &mut Context<'_>, text: &str, kind: &str, place: &Place, key: &str) -> Option<Where> {
    if let Some(path) = ctx.given("data", text) {
        return named(ctx, &path, place, key).map(Where::Ref);
    }
    if let Some(path) = local(text) {
        return here(ctx, path, kind, place, key).map(Where::Ref);
    }
    if !ctx.is_versioned(text, place, key) {
        return None;
    }
    if ["runs:", "dbfs:"].iter().any(|other| text.starts_with(other)) {
        ctx.findings.refuse(
            place,
            key,
            &format!("{text:?} is resolved by clients only; register it, and name the asset"),
        );
        return None;
    }
    Some(Where::Path(text.to_owned()))
}

/// The object of a data file; the first that asks names it.
fn named(ctx: &mut Context<'_>, path: &str, place: &Place, key: &str) -> Option<String> {
    let root = ctx.document(path, place, key)?;
    let name = Fields::of(&root, "", &mut ctx.findings).text("name", &mut ctx.findings);
    Some(object_name(ctx, path, name.as_deref()))
}

fn object_name(ctx: &mut Context<'_>, path: &str, name: Option<&str>) -> String {
    ctx.known("data", path).unwrap_or_else(|| {
        let name = ctx.name("MLData", name.unwrap_or_else(|| stem(path)));
        ctx.know("data", path, &name);
        name
    })
}

/// An MLData of local files.
fn here(ctx: &mut Context<'_>, path: &str, kind: &str, place: &Place, key: &str) -> Option<String> {
    let file = Context::beside(place, path);
    let content = format!("{kind} {file}");
    if let Some(name) = ctx.known("local data", &content) {
        return Some(name);
    }
    let source = of_type(kind, code::source(ctx, path, place, key)?);
    let name = ctx.name("MLData", stem(&file));
    ctx.know("local data", &content, &name);
    let mut spec = ctx.spec();
    spec.put("type", kind);
    spec.put("source", source.out());
    let notes = vec![format!("The files of {file}, which az ml uploads with each job.")];
    ctx.objects.push(Object {
        kind: "MLData",
        name: name.clone(),
        from: Rc::clone(&place.file),
        notes,
        spec,
    });
    Some(name)
}

/// The source of data: that of one file has no other.
fn of_type(kind: &str, source: Source) -> Source {
    if kind == "uri_file" { code::only(source) } else { source }
}

/// Makes an MLData of a data file.
pub fn asset(ctx: &mut Context<'_>, root: &Node) {
    let fields = Fields::of(root, "", &mut ctx.findings);
    let azure_name = fields.text("name", &mut ctx.findings);
    let name = object_name(ctx, &root.place.file, azure_name.as_deref());
    let mut spec = ctx.spec();
    put_azure_name(ctx, &mut spec, &fields, azure_name.as_deref());
    let kind = fields.text("type", &mut ctx.findings).unwrap_or_else(|| "uri_folder".to_owned());
    spec.put("type", kind.as_str());
    let Some(path) = fields.text("path", &mut ctx.findings) else {
        ctx.findings.fail(&root.place, "path", "a data asset has to have a path");
        return;
    };
    let place = fields.place_of("path");
    if local(&path).is_some() {
        let Some(source) = code::source(ctx, &path, place, "path") else { return };
        spec.put("source", of_type(&kind, source).out());
    } else {
        spec.put("path", path);
    }
    spec.put_some("description", fields.text("description", &mut ctx.findings));
    spec.put_full("tags", tags(ctx, &fields));
    fields.without_effect("version", "versions follow from the content here", &mut ctx.findings);
    fields.finish(&[], &mut ctx.findings);
    ctx.objects.push(Object {
        kind: "MLData",
        name,
        from: Rc::clone(&root.place.file),
        notes: Vec::new(),
        spec,
    });
}

/// The name in Azure, where the kinds take it.
pub fn put_azure_name(ctx: &mut Context<'_>, spec: &mut Map, fields: &Fields<'_>, name: Option<&str>) {
    let Some(name) = name else { return };
    match azure(name, 1, 255, "-_") {
        Ok(()) => spec.put("azureName", name),
        Err(why) => {
            let message = format!("the name in Azure is generated: {why}");
            ctx.findings.note(fields.place_of("name"), &fields.path("name"), &message);
        }
    }
}
