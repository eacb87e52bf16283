//! What it means for an action that Azure refused it: mostly that it failed, and sometimes that nothing is left to do.
//!
//! In: an action, the status and the code of the refusal, what is there. Out: what follows. What a refusal means for an object is in
//! `failure.rs`, and what to do about it in `remedy.rs`.

use crate::action::Action;
use crate::owner::OWNER;
use crate::tags;
use azureml_client::ArmId;
use serde_json::Value;

/// What a refusal of an action means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The action failed.
    Failed,
    /// Nothing is left to do.
    Done,
    /// What the action makes may be there: it is read, and [`serves`] tells whether it will do.
    Look,
}

/// What the refusal of an action means.
#[must_use]
pub fn meaning(action: &Action, status: u16, code: &str) -> Meaning {
    match action {
        Action::Post { action, .. } if is_over(action, status, code) => Meaning::Done,
        Action::Put { id, .. } | Action::Upload { id, .. } if may_be_there(id, status, code) => Meaning::Look,
        Action::Put { .. }
        | Action::Patch { .. }
        | Action::Post { .. }
        | Action::Delete { .. }
        | Action::Upload { .. } => Meaning::Failed,
    }
}

/// Whether what is there does what an action asked for: a component is archived, or restored, by a PUT too, and has an owner. A code
/// serves anyway.
#[must_use]
pub fn serves(action: &Action, have: &Value) -> bool {
    let is_archived = |body: &Value| body["properties"]["isArchived"] == true;
    let owner = |body: &Value| tags::get(&body["properties"]["tags"], OWNER).clone();
    match action {
        Action::Put { id, body } if id.kind() == COMPONENT => {
            is_archived(body) == is_archived(have) && owner(body) == owner(have)
        }
        Action::Put { .. } | Action::Upload { .. } => true,
        Action::Patch { .. } | Action::Post { .. } | Action::Delete { .. } => false,
    }
}

const COMPONENT: &str = "workspaces/components/versions";

/// Whether a refused action has nothing left to do: a cancel after a pipeline job's end (recorded). A command job and a run of
/// ACR answer 200 then. After any other refusal the job goes on, and costs money.
fn is_over(action: &str, status: u16, code: &str) -> bool {
    action == "cancel" && status == 400 && code == "CancelPipelineRunInTerminalStatus"
}

/// Whether a refused PUT may mean that the version is there. Versions are named by their content, so one that is there is as good.
/// A component is refused if its code has another name (recorded: 400); of codes no refusal is recorded.
fn may_be_there(id: &ArmId, status: u16, code: &str) -> bool {
    match id.kind().as_str() {
        COMPONENT => status == 400 && code == "UpdateComponentFailed",
        "workspaces/codes/versions" => matches!(status, 400 | 409),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(kind: &str) -> ArmId {
        let workspace =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
        ArmId::parse(workspace).unwrap().child(kind, "x").child("versions", "1")
    }

    fn put(kind: &str, properties: &Value) -> Action {
        Action::Put { id: id(kind), body: json!({"properties": properties}) }
    }

    #[test]
    fn a_version_may_be_there_only_where_azure_says_that_it_cannot_change() {
        let component = put("components", &json!({}));
        assert_eq!(meaning(&component, 400, "UpdateComponentFailed"), Meaning::Look);
        for (status, code) in [(400, "InvalidArgument"), (404, "CodeNotFound"), (409, "Conflict")] {
            assert_eq!(meaning(&component, status, code), Meaning::Failed, "{status} {code}");
        }
        assert_eq!(meaning(&put("codes", &json!({})), 409, "Conflict"), Meaning::Look);
        let environment = put("environments", &json!({}));
        assert_eq!(meaning(&environment, 400, "UpdateComponentFailed"), Meaning::Failed);
    }

    #[test]
    fn a_component_serves_where_it_is_archived_as_asked_and_has_the_owner() {
        let mine = |is_archived: bool| json!({"isArchived": is_archived, "tags": {OWNER: "me"}});
        let asked = put("components", &mine(false));
        assert!(serves(&asked, &json!({"properties": mine(false)})));
        assert!(!serves(&asked, &json!({"properties": mine(true)})));
        assert!(!serves(&asked, &json!({"properties": {"isArchived": false, "tags": {OWNER: "another"}}})));
        assert!(serves(&put("codes", &mine(false)), &json!({"properties": {}})));
    }

    #[test]
    fn only_the_recorded_code_says_that_a_job_needs_no_cancelling() {
        let post = |action| Action::Post { id: id("jobs"), action };
        assert_eq!(meaning(&post("cancel"), 400, "CancelPipelineRunInTerminalStatus"), Meaning::Done);
        assert_eq!(meaning(&post("delete"), 400, "CancelPipelineRunInTerminalStatus"), Meaning::Failed);
        for (status, code) in [
            (400, "BadRequest"),
            (400, "JobNotCancelable"),
            (404, "JobNotFound"),
            (409, "Conflict"),
            (403, "AuthorizationFailed"),
            (411, "LengthRequired"),
        ] {
            assert_eq!(meaning(&post("cancel"), status, code), Meaning::Failed, "{code}: the job goes on");
        }
    }
}
