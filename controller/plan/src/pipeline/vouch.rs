//! Versions that a status tells are checked as if a user had written them: the right to write a status gives no right to run what is
//! another's.
//!
//! In: a version of a status, the names that the pipeline's component can have, the workspace. Out: nothing, or what is wrong.

use crate::invalid::InvalidSpec;
use crate::names;
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;

/// The component of an MLPipeline that names none.
#[must_use]
pub fn generated_name(namespace: &str, pipeline: &str) -> String {
    names::generated(names::COMPONENT, namespace, pipeline)
}

/// Whether a version is one of a pipeline: its component has one of these names, and all that it names is in the workspace.
///
/// # Errors
/// With what does not belong there.
pub fn vouch(current: &Current, components: &[String], workspace: &ArmId) -> Result<(), InvalidSpec> {
    let is_version = |id: &ArmId| {
        let component = id.parent().filter(|_| id.kind() == "workspaces/components/versions");
        let of_this = |name: &String| {
            component.as_ref().is_some_and(|id| id.key() == child(workspace, "components", name))
        };
        components.iter().any(of_this)
    };
    let is_below = |text: &String, kind: &str| {
        ArmId::parse(text).is_ok_and(|id| {
            id.kind() == format!("workspaces/{kind}") && id.key() == child(workspace, kind, id.name())
        })
    };
    let settings = &current.settings;
    let found = [
        Some(&current.component_id).filter(|id| !ArmId::parse(id).is_ok_and(|id| is_version(&id))),
        settings.default_compute.as_ref().filter(|id| !is_below(id, "computes")),
        settings.default_datastore.as_ref().filter(|id| !is_below(id, "datastores")),
    ];
    match found.into_iter().flatten().next() {
        None => Ok(()),
        Some(id) => {
            let message = format!(
                "{id} is none of this pipeline's; somebody wrote it there: ask the MLPipeline for a comparison, and see who may \
                 write a status"
            );
            Err(InvalidSpec { reason: Reason::STATUS_NOT_BELIEVED, ..InvalidSpec::new("status", message) })
        }
    }
}

fn child(workspace: &ArmId, kind: &str, name: &str) -> String {
    workspace.child(kind, name).key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::ml_pipeline::Settings;
    use std::collections::BTreeMap;

    fn current(component: &str, compute: &str) -> Current {
        Current {
            version: "v".into(),
            component_id: component.to_owned(),
            settings: Settings { default_compute: Some(compute.to_owned()), ..Settings::default() },
            accepted_as: None,
            inputs: BTreeMap::new(),
            bare_inputs: Vec::new(),
            double_quoted_inputs: Vec::new(),
            outputs: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_is_the_pipelines_own_is_believed() {
        let (here, there) = (ArmId::workspace("s", "g", "w"), ArmId::workspace("s", "g", "other"));
        let own = here.child("components", "n_p_1").child("versions", "1").to_string();
        let cpu = here.child("computes", "cpu").to_string();
        let names = ["n_p_1".to_owned()];
        let is_believed =
            |component: &str, compute: &str| vouch(&current(component, compute), &names, &here).is_ok();
        assert!(is_believed(&own, &cpu) && is_believed(&own.to_uppercase(), &cpu));
        let others = [
            here.child("components", "m_q_2").child("versions", "1").to_string(),
            there.child("components", "n_p_1").child("versions", "1").to_string(),
            here.child("components", "n_p_1").to_string(),
            format!("{own}/../x"),
            String::new(),
        ];
        for other in others {
            assert!(!is_believed(&other, &cpu), "{other}");
        }
        for other in [there.child("computes", "cpu").to_string(), "cpu".to_owned(), format!("{cpu}/x/y")] {
            assert!(!is_believed(&own, &other), "{other}");
        }
    }
}
