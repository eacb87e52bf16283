//! What the API server checks of a step: what its texts use is there, and a script is among its files.

use kube::core::{Message, Rule};

/// Whether a name, a CEL expression, is in one of the maps of the step: in `inputs`, or in `sweep.searchSpace`.
fn is_in(name: &str, maps: &[&str]) -> String {
    let each = maps.iter().map(|map| {
        let ends = map.match_indices('.').map(|(end, _)| end).chain([map.len()]);
        let is_there: Vec<String> = ends.map(|end| format!("has(self.{})", &map[..end])).collect();
        format!("{} && {name} in self.{map}", is_there.join(" && "))
    });
    let each: Vec<String> = each.collect();
    each.join(" || ")
}

/// A command uses only what the step has: in the first of the maps, or in another.
pub(super) fn uses(field: &str, maps: &[&str]) -> Rule {
    let what = maps.first().copied().unwrap_or_default();
    let parts = format!("('}}}}' + self.{field}).split('${{{{{what}.', 100)");
    let known = format!("b.startsWith('}}}}') || {}", is_in("b.split('}}', 2)[0]", maps));
    Rule::new(format!("!has(self.{field}) || {parts}.all(b, {known})"))
        .message(Message::Expression(format!(
            "'{field} of step %s uses ${{{{{what}.X}}}} where X is %s, which is not in the {what} of the step; add it there'\
             .format([self.name, {parts}.map(b, !({known}), b.split('}}}}', 2)[0])])"
        )))
        .field_path(format!(".{field}"))
}

/// The arguments of a script use only what the step has.
pub(super) fn args_use(body: &str, maps: &[&str]) -> Rule {
    let what = maps.first().copied().unwrap_or_default();
    let is_in = is_in("b.split('}}', 2)[0]", maps);
    let known = format!("('}}}}' + a).split('${{{{{what}.', 4).all(b, b.startsWith('}}}}') || {is_in})");
    Rule::new(format!("!has(self.{body}) || !has(self.{body}.args) || self.{body}.args.all(a, {known})"))
        .message(Message::Expression(format!(
            "'{body}.args of step %s use ${{{{{what}.…}}}} that is not in the {what} of the step: %s; add it there'\
             .format([self.name, self.{body}.args.filter(a, !({known}))])"
        )))
        .field_path(format!(".{body}.args"))
}

/// What is said of inputs by name is said of inputs that are there.
pub(super) fn of_inputs(field: &str, maps: &[&str]) -> Rule {
    Rule::new(format!("!has(self.{field}) || self.{field}.all(k, {})", is_in("k", maps)))
        .message(Message::Message(format!(
            "{field} names an input that is not in the inputs of the step; add it there or remove it here"
        )))
        .field_path(format!(".{field}"))
}

/// A name is an input or data, not both.
pub(super) fn data_has_its_own_names() -> Rule {
    Rule::new("!has(self.data) || !has(self.inputs) || self.data.all(k, !(k in self.inputs))")
        .message("data and inputs of a step have no name in common; rename one of them")
        .field_path(".data")
}

/// Those of the fields that are set, as an expression of CEL.
fn set(fields: &[&str]) -> String {
    let set: Vec<String> = fields.iter().map(|field| format!("has(self.{field}) ? '{field}' : ''")).collect();
    format!("[{}].filter(x, x != '')", set.join(", "))
}

/// What a body does not have in Azure ML.
pub(super) fn is_no_part_of(body: &str, fields: &[&str]) -> Rule {
    let set = set(fields);
    Rule::new(format!("!has(self.{body}) || {set}.size() == 0"))
        .message(Message::Expression(format!(
            "'the {body} of step %s takes none of these in Azure ML: %s; remove them here'.format([self.name, {set}])"
        )))
        .field_path(format!(".{body}"))
}

/// Databricks knows managed identities, and not the token of Azure ML.
pub(super) fn signs_in_to_databricks() -> Rule {
    Rule::new("!has(self.databricks) || !has(self.identity) || self.identity.type == 'Managed'")
        .message("identity: Databricks takes a managed identity; write type: Managed, or remove it where the compute has an identity")
        .field_path(".identity.type")
}

/// What a component that exists says itself.
pub(super) fn belongs_to_the_component(body: &str, fields: &[&str]) -> Rule {
    let set = set(fields);
    Rule::new(format!("!has(self.{body}) || {set}.size() == 0"))
        .message(Message::Expression(format!(
            "'step %s runs a {body} that says this itself: %s; remove it here'.format([self.name, {set}])"
        )))
        .field_path(format!(".{body}"))
}

/// Text without bindings that the other rules would not see, or that mean nothing inside of a step.
pub(super) fn is_own(text: &str) -> String {
    format!("!{text}.contains('${{{{ ') && !{text}.contains('${{{{parent.')")
}

pub(super) fn own_bindings(field: &str, rule: &str) -> Rule {
    Rule::new(rule)
        .message(Message::Message(format!(
            "{field}: write ${{{{inputs.<input>}}}} and ${{{{outputs.<output>}}}} without blanks; ${{{{parent.…}}}} is for inputs and outputs of the step"
        )))
        .field_path(format!(".{field}"))
}

/// A script is one of the files, where the step has its own.
pub(super) fn script_is_in_the_code(body: &str, script: &str) -> Rule {
    Rule::new(format!(
        "!has(self.{body}) || !has(self.code) || !has(self.code.files) || self.{script} in self.code.files"
    ))
    .message(Message::Expression(format!(
        "'{script} \"%s\" is not among the files of code: %s; add it there or correct the name'\
             .format([self.{script}, self.code.files.map(f, f)])"
    )))
    .field_path(format!(".{script}"))
}
