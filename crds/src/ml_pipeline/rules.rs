//! What the API server checks of a whole pipeline: its bindings lead somewhere, and every step has what it needs.

use kube::core::{Message, Rule};

/// What is said of a binding that has no end, or another beginning.
pub const NOT_A_BINDING: &str = "an input is a literal, ${{parent.inputs.<input>}} or ${{parent.jobs.<step>.outputs.<output>}}, without blanks; not so";
/// What is said of a binding to an input that the pipeline does not have.
pub const NO_SUCH_INPUT: &str = "spec.inputs has no such input, so add it there or correct the step";
/// What is said of a binding to an output that no step has.
pub const NO_SUCH_STEP_OUTPUT: &str =
    "no step lists such an output under its outputs, so add it there or correct the step";
/// What is said of a binding to an output of the step itself, or of one below.
pub const NOT_ABOVE: &str = "a step uses outputs of steps listed above it only, not its own, so that there is no cycle; move the used step up";
/// What is said of an output that is bound to one that the pipeline does not have.
pub const NO_SUCH_OUTPUT: &str = "spec.outputs has no such output, so add it there or correct the step";

const INPUT: &str = "${{parent.inputs.";
const OUTPUT: &str = "${{parent.jobs.";

/// A rule over every input of every step: `good` is a CEL expression of `s` (step), `k` (name), `v` (value), with `m` in scope. To ask a
/// step for a field costs the API server more than anything else here, so nothing within asks for one.
fn each_input(map: &str, good: &str, message: &str) -> Rule {
    let shown = format!(
        "[{map}].map(m, self.steps.map(s, has(s.inputs) && !s.inputs.all(k, v, {good}), [s.name].map(n, s.inputs.transformList(k, v, !({good}), \
         '%s.inputs.%s: %s'.format([n, k, v])))[0][0]))[0]"
    );
    Rule::new(format!("[{map}].all(m, self.steps.all(s, !has(s.inputs) || s.inputs.all(k, v, {good})))"))
        .message(Message::Expression(format!("'{message}: %s'.format([{shown}])")))
        .field_path(".steps")
}

/// What begins as a binding is one. A binding elsewhere in a text is refused by a pattern: Kubernetes 1.33 takes every
/// int-or-string for 3 MiB long, so nothing that reads the whole text fits its budget for rules.
pub(super) fn binding_shape() -> Rule {
    each_input(
        "true",
        &format!(
            "type(v) != string || !v.startsWith('${{{{') || \
             (v.startsWith('{INPUT}') || v.startsWith('{OUTPUT}')) && v.endsWith('}}}}')"
        ),
        NOT_A_BINDING,
    )
}

pub(super) fn bound_to_pipeline_input() -> Rule {
    let map = "has(self.inputs) ? self.inputs.transformMapEntry(k, x, {'${{parent.inputs.%s}}'.format([k]): true}) : {}";
    let good = format!("type(v) != string || !v.startsWith('{INPUT}') || v in m");
    each_input(map, &good, NO_SUCH_INPUT)
}

/// Every output of every step, with the place of the step.
const OUTPUTS: &str = "self.steps.transformMapEntry(i, t, has(t.outputs) ? [t.name].map(n, t.outputs.transformMapEntry(o, x, \
                       {'${{parent.jobs.%s.outputs.%s}}'.format([n, o]): i}))[0] : {})";

pub(super) fn bound_to_step_output() -> Rule {
    let good = format!("type(v) != string || !v.startsWith('{OUTPUT}') || v in m");
    each_input(OUTPUTS, &good, NO_SUCH_STEP_OUTPUT)
}

pub(super) fn bound_to_a_step_above() -> Rule {
    let good = format!("type(v) != string || !v.startsWith('{OUTPUT}') || !(v in m) || m[v] < i");
    Rule::new(format!("[{OUTPUTS}].all(m, self.steps.all(i, s, !has(s.inputs) || s.inputs.all(k, v, {good})))"))
        .message(Message::Expression(format!(
            "'{NOT_ABOVE}: %s'.format([[{OUTPUTS}]\
             .map(m, self.steps.transformList(i, s, has(s.inputs) && !s.inputs.all(k, v, {good}), [s.name].map(n, s.inputs.transformList(k, v, \
             !({good}), '%s.inputs.%s: %s'.format([n, k, v])))[0][0]))[0]])"
        )))
        .field_path(".steps")
}

pub(super) fn bound_to_pipeline_output() -> Rule {
    let map = "has(self.outputs) ? self.outputs.transformMapEntry(k, x, {'${{parent.outputs.%s}}'.format([k]): true}) : {}";
    let good = "!has(o.path) || !o.path.startsWith('${{') || o.path in m";
    Rule::new(format!("[{map}].all(m, self.steps.all(s, !has(s.outputs) || s.outputs.all(k, o, {good})))"))
        .message(Message::Expression(format!(
            "'{NO_SUCH_OUTPUT}: %s'.format([[{map}].map(m, self.steps.map(s, \
             has(s.outputs) && !s.outputs.all(k, o, {good}), [s.name].map(n, s.outputs.transformList(k, o, !({good}), \
             '%s.outputs.%s: %s'.format([n, k, o.path])))[0][0]))[0]])"
        )))
        .field_path(".steps")
}

/// The optional inputs, as bindings.
const OPTIONAL: &str = "has(self.inputs) ? self.inputs.transformMapEntry(k, x, has(x.optional) && x.optional, {'${{parent.inputs.%s}}'.format([k]): true}) : {}";

/// An optional input may have no value, so a command uses it inside of `$[[ ]]` only. What stands outside is what is before a
/// `$[[` in each part that a `]]` ends; an argument is a group as a whole. The controller looks at what is beyond the tenth.
pub(super) fn optional_in_a_group((what, is_there, texts): (&str, &str, &str)) -> Rule {
    let name = "b.split('}}', 2)[0]";
    Rule::new(format!(
        "[{OPTIONAL}].all(m, m.size() == 0 || self.steps.all(s, !has(s.inputs) || !({is_there}) || {texts}.all(c, \
         ('}}}}' + c.split('$[[', 2)[0]).split('${{{{inputs.', 10).all(b, b.startsWith('}}}}') || !({name} in s.inputs) || !(s.inputs[{name}] in m)))))"
    ))
    .message(Message::Message(format!(
        "{what} of a step uses an optional input, which may have no value; write it as $[[--name ${{{{inputs.name}}}}]], or remove \
         optional (an input with a default needs none)"
    )))
    .field_path(".steps")
}

/// Where a step has a command.
pub(super) const COMMAND: (&str, &str, &str) = ("the command", "has(s.command)", "s.command.split(']]', 10)");
/// Where a step has arguments.
pub(super) const ARGS: (&str, &str, &str) = (
    "an argument",
    "has(s.r) && has(s.r.args) || has(s.python) && has(s.python.args)",
    "(has(s.r) && has(s.r.args) ? s.r.args : s.python.args)",
);

/// What every step needs and may leave to the defaults, but for those with a body that has it itself.
pub(super) fn here_or_default(field: &str, but_for: &[&str]) -> Rule {
    let each: Vec<String> = [field].iter().chain(but_for).map(|field| format!("has(s.{field})")).collect();
    let good = each.join(" || ");
    Rule::new(format!("has(self.defaults) && has(self.defaults.{field}) || self.steps.all(s, {good})"))
        .message(Message::Expression(format!(
            "'steps %s have no {field}; set {field} there, or defaults.{field}'.format([self.steps.map(s, !({good}), s.name)])"
        )))
        .field_path(".steps")
}

pub(super) fn scripts_have_code() -> Rule {
    let good = "has(s.code) || !has(s.python) && !has(s.r) && !has(s.parallel) && !has(s.spark)";
    Rule::new(format!("has(self.defaults) && has(self.defaults.code) || self.steps.all(s, {good})"))
        .message(Message::Expression(format!(
            "'steps %s have a script but no code; set code there, or defaults.code'.format([self.steps.map(s, !({good}), s.name)])"
        )))
        .field_path(".steps")
}

pub(super) fn scripts_are_in_the_default_code() -> Rule {
    let good = "has(s.code) || (!has(s.r) || s.r.script in f) && (!has(s.python) || s.python.script in f) && \
                (!has(s.parallel) || s.parallel.task.entryScript in f) && (!has(s.spark) || s.spark.entry.file in f)";
    let files = "(has(self.defaults.code.files) ? [self.defaults.code.files] : [])";
    Rule::new(format!("!has(self.defaults) || !has(self.defaults.code) || {files}.all(f, self.steps.all(s, {good}))"))
        .message(Message::Expression(format!(
            "'the scripts of steps %s are not among the files of defaults.code; add them there or correct the names'\
             .format([{files}.map(f, self.steps.map(s, !({good}), s.name))[0]])"
        )))
        .field_path(".steps")
}
