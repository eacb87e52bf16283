//! Trials of a step's command: the inputs that they vary, the node, and what is wrong with a search space.
//!
//! In: a step with a sweep, the component that a trial runs. Out: parts of requests, as Microsoft's client writes them.

use crate::component::bare::{self, Place};
use crate::component::node::{begin, said};
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use crate::time;
use azureml_crds::MLPipeline;
use azureml_crds::literals;
use azureml_crds::step::{
    EarlyTermination, Goal, Objective, Policy, Sampling, SamplingRule, SamplingType, Space, SpaceType, Step,
    Sweep, SweepLimits,
};
use azureml_crds::values::{LiteralType, Scalar};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The inputs of a trial's component that the search space gives values.
pub(crate) fn inputs(step: &Step) -> impl Iterator<Item = (String, Value)> {
    let space = step.sweep.iter().flat_map(|sweep| &sweep.search_space);
    space.map(|(name, space)| {
        let r#type = step.input_types.get(name).copied().unwrap_or_else(|| kind(space));
        (name.clone(), json!({"type": r#type.word()}))
    })
}

/// The type of the values of a space.
fn kind(space: &Space) -> LiteralType {
    let are = |is_one: fn(&Value) -> bool| space.values.iter().all(|Scalar(value)| is_one(value));
    match space.r#type {
        SpaceType::Randint => LiteralType::Integer,
        SpaceType::Choice if are(|value| value.is_i64() || value.is_u64()) => LiteralType::Integer,
        SpaceType::Choice if are(Value::is_number) => LiteralType::Number,
        SpaceType::Choice => LiteralType::String,
        SpaceType::Uniform
        | SpaceType::QUniform
        | SpaceType::LogUniform
        | SpaceType::QLogUniform
        | SpaceType::Normal
        | SpaceType::QNormal
        | SpaceType::LogNormal
        | SpaceType::QLogNormal => LiteralType::Number,
    }
}

/// The node whose trials run a component. Its limits are whole seconds, where those of a command are ISO 8601.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    (sweep, id): (&Sweep, &str),
) -> Result<Value, InvalidSpec> {
    let Sweep { objective, search_space, sampling_algorithm, limits, early_termination } = sweep;
    let Objective { goal, primary_metric } = objective;
    let SweepLimits { max_total_trials, max_concurrent_trials, trial_timeout } = limits;
    let seconds = |timeout: &Option<String>| {
        timeout.as_ref().map(|text| time::duration("timeout", text).map(|one| one.as_secs())).transpose()
    };
    let space: Map<String, Value> =
        search_space.iter().map(|(name, space)| (name.clone(), values(space))).collect();
    let mut node = begin(pipeline, step, resolved, "sweep")?;
    node["trial"] = json!({"componentId": id});
    node["objective"] = json!({"goal": word(*goal), "primary_metric": primary_metric});
    node["search_space"] = Value::Object(space);
    node["sampling_algorithm"] = sampling(sampling_algorithm);
    node["limits"] = said(json!({
        "max_total_trials": max_total_trials, "max_concurrent_trials": max_concurrent_trials,
        "timeout": seconds(&step.timeout)?, "trial_timeout": seconds(trial_timeout)?,
    }));
    if let Some(policy) = early_termination {
        node["early_termination"] = termination(policy);
    }
    Ok(node)
}

fn word(goal: Goal) -> &'static str {
    match goal {
        Goal::Minimize => "minimize",
        Goal::Maximize => "maximize",
    }
}

/// Values as the client writes them: its models in snake case.
fn values(space: &Space) -> Value {
    let Space { r#type, values, min_value, max_value, mu, sigma, q, upper } = space;
    let values = (!values.is_empty()).then_some(values);
    said(json!({
        "type": r#type, "values": values, "min_value": min_value, "max_value": max_value, "mu": mu,
        "sigma": sigma, "q": q, "upper": upper,
    }))
}

/// The algorithm's name, or an object where more is said of it.
fn sampling(Sampling { r#type, seed, rule, logbase }: &Sampling) -> Value {
    let name = match r#type {
        SamplingType::Random => "random",
        SamplingType::Grid => "grid",
        SamplingType::Bayesian => "bayesian",
    };
    let rule = rule.map(|rule| match rule {
        SamplingRule::Random => "random",
        SamplingRule::Sobol => "sobol",
    });
    if seed.is_none() && rule.is_none() && logbase.is_none() {
        return json!(name);
    }
    said(json!({"type": name, "seed": seed, "rule": rule, "logbase": logbase}))
}

/// The only part of a sweep that is written as in the REST API, in snake case.
fn termination(policy: &EarlyTermination) -> Value {
    let EarlyTermination {
        r#type,
        evaluation_interval,
        delay_evaluation,
        slack_factor,
        slack_amount,
        truncation_percentage,
    } = policy;
    let name = match r#type {
        Policy::Bandit => "Bandit",
        Policy::MedianStopping => "MedianStopping",
        Policy::TruncationSelection => "TruncationSelection",
    };
    said(json!({
        "policy_type": name, "evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation,
        "slack_factor": slack_factor, "slack_amount": slack_amount, "truncation_percentage": truncation_percentage,
    }))
}

/// What is wrong with a sweep: values that no trial would take, or that leave their place in the command.
pub(crate) fn faults(step: &Step, places: &BTreeMap<&str, Place>) -> Vec<InvalidSpec> {
    let Some(sweep) = &step.sweep else { return Vec::new() };
    let place = format!("steps.{}.sweep", step.name);
    let of_space = sweep.search_space.iter().filter_map(|(name, space)| {
        let is_given = step.inputs.contains_key(name) || step.data.contains_key(name);
        let given = || {
            is_given.then(|| "the step gives this input itself; remove it here, or from the step".to_owned())
        };
        let fault =
            given().or_else(|| of_fields(space)).or_else(|| of_values(space, places.get(name.as_str())))?;
        Some(InvalidSpec::new(format!("{place}.searchSpace.{name}"), fault))
    });
    let of_policy = sweep.early_termination.as_ref().and_then(of_policy);
    let of_policy = of_policy.map(|fault| InvalidSpec::new(format!("{place}.earlyTermination"), fault));
    of_space.chain(of_policy).collect()
}

/// A distribution has the fields that it takes, and no others.
pub(super) fn of_fields(space: &Space) -> Option<String> {
    let Space { r#type, values, min_value, max_value, mu, sigma, q, upper } = space;
    let set = [
        ("values", !values.is_empty()),
        ("minValue", min_value.is_some()),
        ("maxValue", max_value.is_some()),
        ("mu", mu.is_some()),
        ("sigma", sigma.is_some()),
        ("q", q.is_some()),
        ("upper", upper.is_some()),
    ];
    let wanted: &[&str] = match r#type {
        SpaceType::Choice => &["values"],
        SpaceType::Randint => &["upper"],
        SpaceType::Uniform | SpaceType::LogUniform => &["minValue", "maxValue"],
        SpaceType::QUniform | SpaceType::QLogUniform => &["minValue", "maxValue", "q"],
        SpaceType::Normal | SpaceType::LogNormal => &["mu", "sigma"],
        SpaceType::QNormal | SpaceType::QLogNormal => &["mu", "sigma", "q"],
    };
    differs(&set, wanted).then(|| format!("this type takes {}, and nothing else", wanted.join(", ")))
}

/// Whether other fields are set than are wanted.
fn differs(set: &[(&str, bool)], wanted: &[&str]) -> bool {
    set.iter().any(|(name, is_set)| wanted.contains(name) != *is_set)
}

/// Each value stays one word of the command, as a literal of the step does.
fn of_values(space: &Space, place: Option<&Place>) -> Option<String> {
    space.values.iter().find_map(|Scalar(value)| match value {
        Value::String(text) => {
            literals::fault(text).or_else(|| place.and_then(|place| bare::fault(text, *place)))
        }
        Value::Number(_) => None,
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
            Some(format!("{value} is no number and no text; write it in quotes"))
        }
    })
}

/// A policy has the fields that it takes.
pub(super) fn of_policy(policy: &EarlyTermination) -> Option<String> {
    let slack = policy.slack_factor.is_some() || policy.slack_amount.is_some();
    let (wanted, words): (&[&str], _) = match policy.r#type {
        Policy::Bandit => (&["slack"], "bandit takes one of slackFactor and slackAmount"),
        Policy::MedianStopping => (&[], "median_stopping takes evaluationInterval and delayEvaluation"),
        Policy::TruncationSelection => {
            (&["truncationPercentage"], "truncation_selection takes truncationPercentage")
        }
    };
    let both = policy.slack_factor.is_some() && policy.slack_amount.is_some();
    let set = [("slack", slack), ("truncationPercentage", policy.truncation_percentage.is_some())];
    (both || differs(&set, wanted)).then(|| format!("{words}, and nothing of other policies"))
}
