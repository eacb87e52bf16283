//! Schedules become MLSchedules; the job that they make becomes a pipeline.
//!
//! In: a schedule's file. Out: an object; its pipeline is asked for.

use super::compute::tags;
use super::context::{Context, Object, Over, local};
use super::data::put_azure_name;
use super::fields::Fields;
use super::job::{plain, want};
use super::kinds::{Kind, kind};
use super::lift::lifted;
use super::out::{Map, Out};
use super::pipeline::OVER;
use super::read::{Entry, Literal, Node, Place, Scalar, Value};
use azureml_plan::{cron, zones};
use std::rc::Rc;

const WAYS: [(&str, &str); 1] = [("properties", "write it as a tag")];

/// Makes an MLSchedule.
pub fn schedule(ctx: &mut Context<'_>, root: &Node) {
    let fields = Fields::of(root, "", &mut ctx.findings);
    let azure_name = fields.text("name", &mut ctx.findings);
    let (Some(trigger), Some(job)) = (fields.node("trigger"), fields.node("create_job")) else {
        return ctx.findings.fail(&root.place, "trigger", "a schedule has to have trigger and create_job");
    };
    let Some(made) = created(ctx, job) else { return };
    let mut spec = Map::new().with("pipelineRef", Map::new().with("name", made.pipeline));
    put_azure_name(ctx, &mut spec, &fields, azure_name.as_deref());
    times(ctx, trigger, &mut spec);
    // As `az ml schedule show` writes it.
    let is_off = fields.boolean("is_enabled", &mut ctx.findings) == Some(false);
    spec.put_some("suspend", is_off.then_some(true));
    spec.put_full("inputs", made.inputs);
    spec.put_some("experiment", made.experiment);
    spec.put_some("displayName", made.display_name);
    spec.put_some("description", fields.text("description", &mut ctx.findings));
    spec.put_full("tags", tags(ctx, &fields));
    let shown = fields.text("display_name", &mut ctx.findings);
    let notes = shown.map(|shown| format!("Studio showed it as {shown:?}.")).into_iter().collect();
    fields.entry("type");
    fields.finish(&WAYS, &mut ctx.findings);
    let name = ctx.name("MLSchedule", azure_name.as_deref().unwrap_or("schedule"));
    ctx.objects.push(Object { kind: "MLSchedule", name, from: Rc::clone(&root.place.file), notes, spec });
}

/// What `create_job` says.
struct Made {
    pipeline: String,
    inputs: Map,
    experiment: Option<String>,
    display_name: Option<String>,
}

impl Made {
    /// A job as its pipeline says it.
    fn of(pipeline: String) -> Self {
        Self { pipeline, inputs: Map::new(), experiment: None, display_name: None }
    }
}

fn created(ctx: &mut Context<'_>, node: &Node) -> Option<Made> {
    if let Value::Scalar(scalar) = &node.value {
        let pipeline = of_file(ctx, &scalar.text, &node.place, "create_job", Over::default())?;
        return Some(Made::of(pipeline));
    }
    let fields = Fields::of(node, "create_job", &mut ctx.findings);
    let Some(text) = fields.text("job", &mut ctx.findings) else {
        let root = Rc::new(node.clone());
        let pipeline = of_tree(ctx, &root, &node.place.to_string(), Over::default());
        return pipeline.map(Made::of);
    };
    let mut over = Over::default();
    for key in OVER.into_iter().filter(|key| !["inputs", "experiment_name", "display_name"].contains(key)) {
        if let Some(node) = fields.node(key) {
            over.nodes.insert(key, node.clone());
        }
    }
    let given = fields.named("inputs", &mut ctx.findings);
    let inputs = values(ctx, given);
    let experiment = fields.text("experiment_name", &mut ctx.findings);
    let display_name = fields.text("display_name", &mut ctx.findings);
    let place = fields.place_of("job").clone();
    for key in ["type", "name"] {
        fields.entry(key);
    }
    fields.finish(&[], &mut ctx.findings);
    let pipeline = of_file(ctx, &text, &place, "create_job.job", over)?;
    Some(Made { pipeline, inputs, experiment, display_name })
}

/// The pipeline of a job's file, alone or with the schedule's words over it.
fn of_file(ctx: &mut Context<'_>, text: &str, place: &Place, key: &str, over: Over) -> Option<String> {
    let Some(path) = local(text) else {
        let message =
            format!("{text} is a job that ran; write its YAML with az ml job show, and name that file");
        ctx.findings.refuse(place, key, &message);
        return None;
    };
    let file = Context::beside(place, path);
    let root = ctx.document(&file, place, key)?;
    let content = if over.nodes.is_empty() { plain(&file) } else { format!("{file} for {place}") };
    of_tree(ctx, &root, &content, over)
}

fn of_tree(ctx: &mut Context<'_>, root: &Rc<Node>, content: &str, over: Over) -> Option<String> {
    if let Some(name) = ctx.known("pipeline", content) {
        return Some(name);
    }
    match kind(root) {
        Kind::Pipeline => Some(want(ctx, content, root, over)),
        Kind::Step(word) => Some(want(ctx, content, &lifted(root, word), over)),
        Kind::Environment
        | Kind::Compute
        | Kind::Data
        | Kind::Schedule
        | Kind::Endpoint
        | Kind::Deployment
        | Kind::Other(..) => {
            ctx.findings.fail(&root.place, "", "a schedule makes jobs; this is none");
            None
        }
    }
}

/// Values for a pipeline's inputs at each firing.
fn values(ctx: &mut Context<'_>, entries: &[Entry]) -> Map {
    let mut values = Vec::new();
    for entry in entries {
        let key = format!("create_job.inputs.{}", entry.key);
        let path = super::layers::peek(&entry.node, "path").unwrap_or(&entry.node);
        if let Value::Map(parts) = &entry.node.value {
            // The pipeline's input says what kind of data it is; how it is read is said there too.
            for part in parts.iter().filter(|part| !["type", "path"].contains(&part.key.as_str())) {
                let message = "a firing gives an address alone; write this at the input of the pipeline";
                ctx.findings.refuse(&part.place, &format!("{key}.{}", part.key), message);
            }
        }
        let Value::Scalar(scalar) = &path.value else {
            ctx.findings.fail(&entry.place, &key, "write a literal, or type and path");
            continue;
        };
        if scalar.text.contains("${{") && !scalar.text.starts_with("${{creation_context.trigger_time") {
            let message = format!(
                "{} has no value at a firing; write ${{{{creation_context.trigger_time}}}} or a literal",
                scalar.text
            );
            ctx.findings.refuse(&entry.place, &key, &message);
            continue;
        }
        values.push((entry.key.clone(), typed(scalar)));
    }
    values.into_iter().collect::<Map>().sorted()
}

fn typed(scalar: &Scalar) -> Out {
    match scalar.literal() {
        Literal::Boolean(truth) => truth.into(),
        Literal::Integer(number) | Literal::Decimal(number) => number.into(),
        Literal::Text(text) => text.into(),
    }
}

/// `trigger`.
fn times(ctx: &mut Context<'_>, node: &Node, spec: &mut Map) {
    let fields = Fields::of(node, "trigger", &mut ctx.findings);
    fields.entry("type");
    let expression = fields.text("expression", &mut ctx.findings);
    if let Some(Err(error)) = expression.as_deref().map(|cron| cron::check("cron", cron, false)) {
        ctx.findings.refuse(fields.place_of("expression"), "trigger.expression", &error.to_string());
    }
    spec.put_some("cron", expression);
    if let Some(frequency) = fields.text("frequency", &mut ctx.findings) {
        let mut recurrence = Map::new().with("frequency", capital(&frequency));
        recurrence.put("interval", fields.integer("interval", &mut ctx.findings).unwrap_or(1));
        if let Some(node) = fields.node("schedule") {
            pattern(ctx, node, &mut recurrence);
        }
        spec.put("recurrence", recurrence);
    }
    let zone = fields.text("time_zone", &mut ctx.findings);
    if let Err(error) = zones::zone(zone.as_deref()) {
        ctx.findings.refuse(fields.place_of("time_zone"), "trigger.time_zone", &error.to_string());
    }
    spec.put_some("timeZone", zone);
    spec.put_some("startTime", fields.text("start_time", &mut ctx.findings));
    spec.put_some("endTime", fields.text("end_time", &mut ctx.findings));
    fields.finish(&[], &mut ctx.findings);
}

/// Hours, minutes and days of a recurrence.
fn pattern(ctx: &mut Context<'_>, node: &Node, recurrence: &mut Map) {
    let fields = Fields::of(node, "trigger.schedule", &mut ctx.findings);
    for (from, to) in [("hours", "hours"), ("minutes", "minutes")] {
        put_numbers(ctx, &fields, from, to, recurrence);
    }
    let days: Vec<String> =
        fields.texts("week_days", &mut ctx.findings).iter().map(|day| capital(day)).collect();
    recurrence.put_some("weekDays", Some(days).filter(|days| !days.is_empty()));
    put_numbers(ctx, &fields, "month_days", "monthDays", recurrence);
    fields.finish(&[], &mut ctx.findings);
}

fn put_numbers(ctx: &mut Context<'_>, fields: &Fields<'_>, from: &'static str, to: &str, map: &mut Map) {
    let mut numbers: Vec<i64> = Vec::new();
    for text in fields.texts(from, &mut ctx.findings) {
        match text.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => ctx.findings.fail(
                fields.place_of(from),
                &fields.path(from),
                &format!("{text:?} is not a whole number"),
            ),
        }
    }
    map.put_some(to, Some(numbers).filter(|numbers| !numbers.is_empty()));
}

fn capital(word: &str) -> String {
    let word = word.to_lowercase();
    let mut letters = word.chars();
    letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
