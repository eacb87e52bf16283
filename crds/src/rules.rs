//! CEL rules that several kinds share, each with a message that says what to write instead.
//!
//! In: names of fields and bounds. Out: rules for `#[x_kube(validation = …)]`. Tried on the API server by the table of bad manifests.

use crate::literals;
use kube::core::{Message, Reason, Rule};

/// A Kubernetes object name, as far as a reference can know.
pub fn object_name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')").message(Message::Message(format!(
        "{field}: not the name of a Kubernetes object; use lower-case letters, digits, - and ."
    )))
}

/// A GUID in its usual form.
pub fn guid(field: &str) -> Rule {
    Rule::new("self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')").message(
        Message::Message(format!("{field}: write a GUID such as 00000000-0000-0000-0000-000000000000")),
    )
}

/// A duration in hours, minutes and seconds within bounds (inclusive, written the same way).
pub fn duration(field: &str, least: &str, most: &str) -> Rule {
    Rule::new(format!(
        "self.matches('^([0-9]{{1,6}}h)?([0-9]{{1,6}}m)?([0-9]{{1,6}}s)?$') && self != '' \
         && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    ))
    .message(Message::Message(format!(
        "{field}: write a duration of at least {least} and at most {most} in hours, minutes and seconds, such as 90m or 1h30m"
    )))
}

/// Exactly one of the named fields of a struct is set.
pub fn exactly_one(owner: &str, fields: &[&str]) -> Rule {
    let set = set_fields(fields);
    let names = fields.join(", ");
    Rule::new(format!("{set}.size() == 1")).message(Message::Expression(format!(
        "'{owner}: set exactly one of {names}; set now: %s'.format([{set}])"
    )))
}

fn set_fields(fields: &[&str]) -> String {
    let each: Vec<String> =
        fields.iter().map(|field| format!("has(self.{field}) ? '{field}' : ''")).collect();
    format!("[{}].filter(x, x != '')", each.join(", "))
}

/// A field that can be neither changed, nor set later, nor removed: another value would orphan what is in Azure.
pub fn immutable(kind: &str, field: &str) -> Rule {
    Rule::new(format!(
        "has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    ))
    .message(Message::Message(format!(
        "{field} cannot be changed, nor set or removed later; make a new {kind}"
    )))
    .field_path(format!(".{field}"))
    .reason(Reason::FieldValueForbidden)
}

/// Tag names that the operator keeps for itself, or that Azure refuses.
pub fn tags() -> Rule {
    Rule::new(
        "self.all(k, k.matches('^[^<>%&?/,=\\\\\\\\]{1,256}$') && !k.lowerAscii().startsWith('azureml-operator-'))",
    )
    .message(
        "tags: a name has 1 to 256 characters without < > % & ? / \\ , = and does not start with azureml-operator-, which the operator uses itself",
    )
}

/// Tag names have no case in Azure.
pub fn distinct_tags() -> Rule {
    Rule::new("self.all(k, self.exists_one(o, o.lowerAscii() == k.lowerAscii()))")
        .message("tags: two names differ in case alone, which Azure does not tell apart; keep one")
}

/// Names of inputs and outputs: what Azure ML accepts as a variable.
pub fn variable_names(field: &str) -> Rule {
    let legal = "k.matches('^[A-Za-z_][A-Za-z0-9_]{0,62}$')";
    Rule::new(format!("self.all(k, {legal})")).message(Message::Expression(format!(
        "'{field}: %s: a name has letters, digits and _ only, does not start with a digit and is at most 63 long'\
         .format([self.filter(k, !{legal})])"
    )))
}

/// Keys that YAML has changed: without quotes `y`, `on` or `no` is not text, and arrives as `true` or `false`.
pub fn yaml_keys(field: &str) -> Rule {
    Rule::new("self.all(k, !(k in ['true', 'false']))").message(Message::Message(format!(
        "{field}: YAML reads the names y, yes, on, n, no and off as true or false; write the name in quotes, or use another"
    )))
}

/// Text that stays inside of the quotes of a command when Azure ML puts it there.
pub fn stays_quoted(field: &str) -> Rule {
    Rule::new(format!("!self.matches({})", leaves())).message(Message::Message(format!(
        "{field}: write it without a single quote, a line break, ${{{{ and $[[, which could leave the quotes of a command"
    )))
}

/// As [`stays_quoted`], of each value in a list.
pub fn values_stay_quoted() -> Rule {
    let bad = format!("x.matches({})", leaves());
    Rule::new(format!("!self.exists(x, {bad})")).message(Message::Expression(format!(
        "'enum: %s: write it without a single quote, a line break, ${{{{ and $[[, which could leave the quotes of a command'\
         .format([self.filter(x, {bad})])"
    )))
}

/// Each value in a list has what Azure ML asks for.
pub fn values_have_a_letter() -> Rule {
    let good = format!("x.matches('{}')", literals::NEEDS);
    Rule::new(format!("self.all(x, {good})")).message(Message::Expression(format!(
        "'enum: %s: a value needs a letter of a-z, a digit or _, which Azure ML asks for'.format([self.filter(x, !{good})])"
    )))
}

/// The expression for text that leaves its quotes, as a literal of CEL.
fn leaves() -> String {
    format!("r\"{}\"", literals::LEAVES)
}

/// A name of a cluster. Sources: the path of `Compute_CreateOrUpdate` has 3 to 24 characters; that a name may end in digits, as
/// `cpu-cluster-1` does, is recorded (schedules of 2022-12-30 to 2023-04-25).
pub fn cluster_name(field: &str, least: u8, most: u8) -> Rule {
    let (inner_least, inner_most) = (least - 2, most - 2);
    Rule::new(format!("self.matches('^[a-zA-Z][a-zA-Z0-9-]{{{inner_least},{inner_most}}}[a-zA-Z0-9]$')"))
        .message(Message::Message(format!(
            "{field}: use {least} to {most} letters, digits and -, starting with a letter and not ending in -"
        )))
}

/// A name in Azure made of letters, digits, `-` and `_`.
pub fn azure_name() -> Rule {
    Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]*$')")
        .message("azureName: use letters, digits, - and _, starting with a letter or a digit")
}

/// A name that the operator could have made for another object: it ends in eight digits of a hash, which for a component may be followed
/// by a step's name. Eight digits that are a date are a date.
pub fn not_generated() -> Rule {
    // With what looks like a date at the end cut off: the rest may still look generated.
    let name = "self.lowerAscii().replace('_', '-')";
    let generated = "matches('-[0-9a-p][0-9a-f]{7}(-[a-z0-9-]*)?$')";
    let dated = format!("{name}.matches('^.*-(19|20)[0-9]{{6}}$')");
    let before = format!("{name}.substring(0, self.size() - 9).{generated}");
    Rule::new(format!("{dated} ? !{before} : !{name}.{generated}")).message(
        "azureName: it looks like a name that the operator generates (it ends in - or _ and eight hex digits); choose another",
    )
}

/// The size of a virtual machine.
pub fn vm_size(field: &str) -> Rule {
    Rule::new("self.matches('^[A-Za-z][A-Za-z0-9_-]*$')")
        .message(Message::Message(format!("{field}: write a size such as Standard_DS3_v2")))
}

/// Every element of a list has a form; the message shows those that have not.
pub fn each(field: &str, form: &str, remedy: &str) -> Rule {
    Rule::new(format!("self.all(x, x.matches('{form}'))")).message(Message::Expression(format!(
        "'{field}: %s: {remedy}'.format([self.filter(x, !x.matches('{form}'))])"
    )))
}

/// The name of an asset that exists, as Azure's command line writes it. `azureml:<name>@default` is a component's alone.
pub fn asset(field: &str, collection: &str, has_default: bool) -> Rule {
    let labels = if has_default { "(latest|default)" } else { "latest" };
    Rule::new(format!(
        "self.matches('^(azureml:[a-zA-Z0-9][a-zA-Z0-9._-]*(:[a-zA-Z0-9._-]+|@{labels})|azureml://registries/[^/]+/{collection}/[^/]+/(versions|labels)/[^/]+\
         |(azureml:)?/subscriptions/.+/{collection}/[^/]+/versions/[^/]+)$')"
    ))
    .message(Message::Message(format!(
        "{field}: write azureml:<name>:<version>, azureml:<name>@latest, azureml://registries/<registry>/{collection}/<name>/versions/<version>, or \
         the ARM id of a version"
    )))
}

/// What a place is that Azure can reach: an address, or a data asset.
pub(crate) const DATA: &str = "azureml://datastores/<datastore>/paths/<path>, an https:// or abfss:// address, or a data asset: \
     azureml:<name>:<version>, azureml:<name>@latest or its ARM id; local paths are reached by no job";

/// A name of a data asset, or its ARM id: a regular expression of RE2.
pub(crate) const DATA_ASSET: &str =
    "^/subscriptions/|^azureml:(/subscriptions/.+|[a-zA-Z0-9][a-zA-Z0-9._-]*(:[a-zA-Z0-9._-]+|@latest))$";

/// A place that Azure can reach.
pub fn data_path(field: &str) -> Rule {
    Rule::new(format!("self.contains('://') || self.matches('{DATA_ASSET}')"))
        .message(Message::Message(format!("{field}: write {DATA}")))
}

/// A container image, by tag or digest. Nothing in it can end a line or a word of a Dockerfile.
pub fn image(field: &str) -> Rule {
    Rule::new(
        "self.matches('^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$')",
    )
    .message(Message::Message(format!(
        "{field}: write <registry>/<name>:<tag> or <registry>/<name>@sha256:<64 hex digits>, in lower case"
    )))
}

/// The address of a mirror of packages.
pub fn mirror(field: &str) -> Rule {
    Rule::new("self.matches('^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$')").message(
        Message::Message(format!(
            "{field}: write an https:// address without a user, a password and a question mark"
        )),
    )
}

/// The address of data, not its name: what a data asset is registered for.
pub fn data_address(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z][a-z0-9+.-]*://.') && !self.startsWith('file:')").message(Message::Message(format!(
        "{field}: write azureml://datastores/<datastore>/paths/<path>, or an https:// or abfss:// address; a local file is reached by no \
         job, so upload it to a datastore first"
    )))
}

/// Names of inline files.
pub fn file_names() -> Rule {
    Rule::new("self.all(f, !f.startsWith('/') && f.matches('^[A-Za-z0-9._/-]+$') && !f.contains('..') && !f.endsWith('/'))")
        .message("files: a name is a relative path of letters, digits, . _ - and /, without ..")
}

/// All inline files together.
pub fn file_sizes() -> Rule {
    Rule::new("self.map(f, self[f].size()).sum() <= 262144")
        .message("files: all files together are larger than 256 KiB; keep data in a datastore and large code in an image")
}
