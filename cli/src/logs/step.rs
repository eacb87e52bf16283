//! The steps of a job, named as the operator names them in `status.steps`.
//!
//! In: child runs as run history shows them. Out: names, and which runs wrote their logs. Pure.

use anyhow::{Result, ensure};
use azureml_client::ArmId;
use azureml_plan::run::step_name;
use serde_json::Value;

/// A job whose children are steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// The job.
    pub id: ArmId,
    /// The component that it runs, where it is known.
    pub component: Option<ArmId>,
    /// What stands before the names of its steps.
    pub above: String,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it was made, as Azure ML writes it.
    pub created: String,
    /// Its name; that of a step of a pipeline in the pipeline stands behind the pipeline's.
    pub name: String,
    /// The run that wrote its logs.
    pub run: ArmId,
}

/// What a child of a job is.
#[derive(Clone, Debug, PartialEq)]
pub enum Child {
    /// A step that runs something.
    Step(Step),
    /// A pipeline, whose steps are its children.
    Pipeline(Parent),
}

/// A child run; none where it has no id.
#[must_use]
pub fn child(parent: &Parent, child: &Value) -> Option<Child> {
    let run = parent.id.parent()?.child("jobs", child["runId"].as_str()?);
    let name = format!("{}{}", parent.above, step_name(parent.component.as_ref(), child));
    if child["runType"] == "azureml.PipelineRun" {
        let component = child["properties"]["azureml.moduleName"].as_str();
        let component = component.filter(|name| !name.is_empty()).and_then(|component| {
            Some(run.enclosing_workspace()?.child("components", component).child("versions", "any"))
        });
        return Some(Child::Pipeline(Parent { id: run, component, above: format!("{name}/") }));
    }
    let created = child["createdUtc"].as_str().unwrap_or_default().to_owned();
    Some(Child::Step(Step { created, name, run: written_by(child, run) }))
}

/// The run that wrote the logs of a step: where Azure ML took the result of an equal step, that one (recorded).
fn written_by(child: &Value, run: ArmId) -> ArmId {
    let properties = &child["properties"];
    let earlier =
        properties["azureml.reusedrunid"].as_str().filter(|_| properties["azureml.isreused"] == "true");
    earlier.and_then(|earlier| Some(run.parent()?.child("jobs", earlier))).unwrap_or(run)
}

/// How each step is called before its logs: by its name, and by its run too where two have one name.
#[must_use]
pub fn titles(steps: &[Step]) -> Vec<String> {
    let is_only = |name: &str| steps.iter().filter(|step| step.name == name).count() == 1;
    let title = |step: &Step| {
        if is_only(&step.name) { step.name.clone() } else { format!("{} ({})", step.name, step.run.name()) }
    };
    steps.iter().map(title).collect()
}

/// Holds the name that somebody asks for against the steps. Azure ML shows a step once it is made, so that one may be missing which is still to
/// come: then nothing is said while it `may_come`.
///
/// # Errors
/// When there is no such step, with those that there are.
pub fn is_one(asked: Option<&str>, steps: &[Step], may_come: bool) -> Result<()> {
    let Some(asked) = asked.filter(|_| !may_come) else { return Ok(()) };
    let known: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    ensure!(!known.is_empty(), "there is no step {asked}: the job has no steps; leave --step out");
    ensure!(known.contains(&asked), "there is no step {asked}; name one of {}", known.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parent() -> Parent {
        let workspace = ArmId::workspace("s", "g", "w");
        let component = workspace.child("components", "team_iris_1a2b").child("versions", "v");
        Parent { id: workspace.child("jobs", "j"), component: Some(component), above: String::new() }
    }

    fn step(run: &str, component: &str, display: &str) -> Value {
        json!({"runId": run, "name": component, "displayName": display, "runType": "azureml.StepRun",
            "properties": {"azureml.moduleName": component}})
    }

    fn steps(children: &[Value]) -> Vec<Step> {
        let found = children.iter().filter_map(|one| child(&parent(), one));
        let found = found.filter_map(|child| match child {
            Child::Step(step) => Some(step),
            Child::Pipeline(_) => None,
        });
        found.collect()
    }

    #[test]
    fn a_step_is_named_as_in_the_status_and_not_as_people_call_it() {
        let steps = steps(&[
            step("r1", "team_iris_1a2b_train", "Train in R"),
            step("r2", "azureml_anonymous", "other"),
        ]);
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["train", "other"]);
    }

    #[test]
    fn two_steps_of_one_name_are_two() {
        let steps =
            steps(&[step("r1", "other", "same"), step("r2", "other", "same"), step("r3", "other", "third")]);
        assert_eq!(titles(&steps), ["same (r1)", "same (r2)", "third"]);
    }

    #[test]
    fn a_pipeline_within_names_its_steps_behind_itself() {
        let mut inner = step("p", "team_iris_1a2b_inner", "Inner");
        inner["runType"] = json!("azureml.PipelineRun");
        let Some(Child::Pipeline(inner)) = child(&parent(), &inner) else { panic!("no pipeline") };
        let found = child(&inner, &step("r", "team_iris_1a2b_inner_fit", "Fit"));
        assert!(
            matches!(found, Some(Child::Step(step)) if step.name == "inner/fit" && step.run.name() == "r")
        );
    }

    #[test]
    fn the_log_of_a_step_that_was_reused_is_the_earlier_ones() {
        let mut again = step("r2", "x", "x");
        again["properties"]["azureml.isreused"] = json!("true");
        again["properties"]["azureml.reusedrunid"] = json!("r1");
        assert_eq!(steps(&[again])[0].run.name(), "r1");
    }

    #[test]
    fn a_step_that_is_not_there_is_said_as_soon_as_none_can_come() {
        let steps = steps(&[step("r1", "x", "first")]);
        assert!(is_one(None, &steps, false).is_ok() && is_one(Some("first"), &steps, false).is_ok());
        assert!(is_one(Some("second"), &steps, true).is_ok());
        let said = is_one(Some("second"), &steps, false).unwrap_err().to_string();
        assert_eq!(said, "there is no step second; name one of first");
        assert!(is_one(Some("second"), &[], false).unwrap_err().to_string().contains("leave --step out"));
    }
}
