//! What a pipeline takes and gives: its own ports, what its user says over them, and how the object says it.
//!
//! In: `inputs` and `outputs`. Out: ports in the frame of the steps, and after the steps the fields of the object.

use super::context::Context;
use super::data;
use super::frame::Frame;
use super::out::{Map, Out};
use super::ports::{self, Input, Output, is_data};
use super::read::Value;
use super::settings::Said;

/// Reads the ports of a pipeline into a frame.
pub fn read(ctx: &mut Context<'_>, frame: &mut Frame, said: &Said<'_, '_>) {
    let declared = said.fields.named("inputs", &mut ctx.findings);
    frame.inputs = ports::inputs(declared, "inputs", &mut ctx.findings);
    let declared = said.fields.named("outputs", &mut ctx.findings);
    frame.outputs = ports::outputs(declared, "outputs", &mut ctx.findings);
    if let Some(Value::Map(given)) = said.over.nodes.get("inputs").map(|node| &node.value) {
        for own in ports::inputs(given, "inputs", &mut ctx.findings) {
            let (place, name) = (own.place.clone(), own.name.clone());
            if !frame.give(own) {
                ctx.findings.fail(
                    &place,
                    &format!("inputs.{name}"),
                    "the component has no such input; correct the name",
                );
            }
        }
    }
    if let Some(Value::Map(given)) = said.over.nodes.get("outputs").map(|node| &node.value) {
        for own in ports::outputs(given, "outputs", &mut ctx.findings) {
            let (place, name) = (own.place.clone(), own.name.clone());
            if !frame.place(own) {
                ctx.findings.fail(
                    &place,
                    &format!("outputs.{name}"),
                    "the component has no such output; correct the name",
                );
            }
        }
    }
    let literals = frame.inputs.iter().filter_map(|input| Some((input.name.clone(), input.value.clone()?)));
    frame.values = literals.chain(said.over.values.clone()).collect();
}

/// Puts the ports into the object, with what they learned from the steps.
pub fn put(ctx: &mut Context<'_>, frame: &Frame, spec: &mut Map) {
    spec.put_full("inputs", frame.inputs.iter().filter_map(|port| input(ctx, port)).collect());
    let outputs = frame.outputs.iter().map(|port| (port.name.clone(), output(port).into()));
    spec.put_full("outputs", outputs.collect());
}

/// An input as the object says it.
fn input(ctx: &mut Context<'_>, input: &Input) -> Option<(String, Out)> {
    let key = format!("inputs.{}", input.name);
    let kind = input.kind.clone().unwrap_or_else(|| "string".to_owned());
    let mut map = Map::new().with("type", kind.as_str());
    let path = input
        .path
        .clone()
        .or_else(|| input.value.as_ref().filter(|_| is_data(&kind)).map(|value| value.text.clone()));
    if let Some(path) = path {
        data::place(ctx, &path, &kind, &input.place, &key)?.put(&mut map);
    }
    map.put_some("mode", input.mode);
    map.put_some("optional", Some(true).filter(|_| input.is_optional));
    let value =
        input.value.as_ref().filter(|value| !(is_data(&kind) || input.is_optional && value.text.is_empty()));
    match value.map(|value| ports::default(&kind, value)) {
        Some(Ok(value)) => map.put("default", value),
        Some(Err(message)) => ctx.findings.refuse(&input.place, &key, &message),
        None => {}
    }
    if !input.choices.is_empty() && kind != "string" {
        let message = "enum is for type string; write min and max for numbers";
        ctx.findings.refuse(&input.place, &key, message);
    }
    ports::put_bounds(input, &mut map);
    Some((input.name.clone(), map.into()))
}

fn output(output: &Output) -> Map {
    let mut map = Map::new().with("type", output.kind.as_deref().unwrap_or("uri_folder"));
    map.put_some("path", output.path.as_deref());
    map.put_some("mode", output.mode);
    map.put_some("name", output.asset.as_deref());
    map.put_some("version", output.version.as_deref());
    map.put_some("description", output.description.as_deref());
    map
}
