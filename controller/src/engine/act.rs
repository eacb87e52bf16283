//! The hands: carries out a plan, action by action, side by side.
//!
//! In: actions. Out: what Azure asks to wait, or the first failure. Decides nothing.

use crate::looks::Looks;
use crate::upload::upload;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::send::{Answer, Verb};
use azureml_client::{Class, Error};
use azureml_plan::Action;
use azureml_plan::action::Room;
use azureml_plan::remedy;
use futures::future::join_all;
use std::time::Duration;

/// Carries out all actions; the longest delay that Azure asks for.
///
/// # Errors
/// The failure that says most: one that only a change can mend before one that passes by itself.
pub async fn act(client: &Client, looks: &Looks, actions: &[Action]) -> Result<Option<Duration>, Error> {
    let answers = join_all(actions.iter().map(|action| one(client, looks, action))).await;
    let mut delay = None;
    let mut failures = Vec::new();
    for answer in answers {
        match answer {
            Ok(answer) => delay = delay.max(answer.and_then(|answer| answer.retry_after)),
            Err(error) => failures.push(error),
        }
    }
    failures.sort_by_key(|error| !is_lasting(error.class()));
    failures.into_iter().next().map_or(Ok(delay), Err)
}

/// Whether only a change of something can mend a failure.
fn is_lasting(class: Class) -> bool {
    matches!(class, Class::Invalid | Class::Quota | Class::Denied | Class::Forbidden | Class::Missing)
}

async fn one(client: &Client, looks: &Looks, action: &Action) -> Result<Option<Answer>, Error> {
    tracing::debug!(action = name(action), target_id = %action.target(), "changing Azure");
    looks.doubt(action.target());
    let answer = match action {
        Action::Put { id, body } => client.put(id, body).await.map(Some),
        Action::Patch { id, body } => client.patch(id, body).await.map(Some),
        // What has ended needs no cancelling; the next look says how it ended. After any other refusal the job goes on.
        Action::Post { id, action } => match client.post(id, action, None).await {
            Err(error) if is_over(action, &error) => Ok(None),
            answer => answer.map(Some),
        },
        Action::Delete { id, query } => client.delete(id, query).await,
        Action::Upload { room, files, id, body, pointer } => {
            let place = upload(client, room, files).await?;
            let mut body = body.clone();
            if let Some(hole) = hole(&mut body, pointer) {
                *hole = place;
            }
            match client.put(id, &body).await {
                // Equal files have one name: somebody else was faster, and their place is as good.
                Err(error) if is_refused(&error) && matches!(room, Room::Code(_)) => {
                    match client.get(id, Urgency::Change).await? {
                        Some(_) => Ok(None),
                        None => Err(error),
                    }
                }
                answer => answer.map(Some),
            }
        }
    }?;
    looks.note_write(verb(action), action.target(), answer.as_ref());
    if let Action::Put { id, body } | Action::Upload { id, body, .. } = action
        && body["properties"]["isArchived"] != true
    {
        looks.note(id);
    }
    Ok(answer)
}

fn is_over(action: &str, error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| remedy::is_over(action, refusal.status, &refusal.code))
}

fn is_refused(error: &Error) -> bool {
    matches!(error.class(), Class::Invalid | Class::Conflict)
}

/// The place in a body that a pointer means; its last key need not be there yet.
fn hole<'a>(body: &'a mut serde_json::Value, pointer: &str) -> Option<&'a mut serde_json::Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    Some(&mut body.pointer_mut(parent)?[key])
}

fn verb(action: &Action) -> Verb {
    match action {
        Action::Put { .. } | Action::Upload { .. } => Verb::Put,
        Action::Patch { .. } => Verb::Patch,
        Action::Post { .. } => Verb::Post,
        Action::Delete { .. } => Verb::Delete,
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Put { .. } => "put",
        Action::Patch { .. } => "patch",
        Action::Post { action, .. } => action,
        Action::Delete { .. } => "delete",
        Action::Upload { .. } => "upload",
    }
}
