//! The hands: carries out a plan, action by action, side by side.
//!
//! In: actions. Out: what Azure asks to wait, or the first failure. Decides nothing.

use crate::folder::Folder;
use crate::looks::Looks;
use crate::upload::{upload, upload_above};
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::send::{Answer, Verb};
use azureml_client::{ArmId, Class, Error};
use azureml_plan::Action;
use azureml_plan::action::{Files, Room};
use azureml_plan::owner::OWNER;
use azureml_plan::refused::{Meaning, meaning, serves};
use futures::future::join_all;
use serde_json::Value;
use std::time::Duration;

/// Finds the files of an object by their hash, where a plan does not hold them.
pub trait Sources: Sync {
    /// What is held while files are in memory.
    type Place: Send;

    /// Waits until files may be read.
    fn place(&self) -> impl Future<Output = Self::Place> + Send;

    /// The files that have this hash.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    fn read(&self, hash: &str) -> impl Future<Output = Result<Folder, Error>> + Send;
}

/// How long one upload may hold its place. What Azure or the budget keeps waiting longer keeps nobody else waiting.
const LONGEST: Duration = Duration::from_mins(2);

/// Carries out all actions; the longest delay that Azure asks for.
///
/// # Errors
/// The failure that says most: one that only a change can mend before one that passes by itself.
pub async fn act(
    client: &Client,
    looks: &Looks,
    sources: &impl Sources,
    actions: &[Action],
) -> Result<Option<Duration>, Error> {
    let answers = join_all(actions.iter().map(|action| one(client, looks, sources, action))).await;
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

async fn one(
    client: &Client,
    looks: &Looks,
    sources: &impl Sources,
    action: &Action,
) -> Result<Option<Answer>, Error> {
    tracing::debug!(action = name(action), target_id = %action.target(), "changing Azure");
    let _turn = if matches!(action, Action::Upload { .. }) {
        // Files that several objects have are uploaded once: the second object finds them there.
        let turn = looks.turn(action.target()).await;
        if looks.has_seen(action.target(), None) {
            return Ok(None);
        }
        turn
    } else {
        None
    };
    let is_new = looks.is_absent(action.target());
    looks.doubt(action.target());
    let answer = sent(client, sources, action).await;
    looks.note_write(verb(action), action.target(), is_new, answer.as_ref().map(Option::as_ref));
    let answer = answer?;
    if let Action::Put { id, body } | Action::Upload { id, body, .. } = action
        && body["properties"]["isArchived"] != true
    {
        let owner = azureml_plan::tags::get(&body["properties"]["tags"], OWNER);
        looks.note(id, owner.as_str().map(str::to_owned));
    }
    Ok(answer)
}

/// The answer to an action; none where there was nothing to do any more.
async fn sent(client: &Client, sources: &impl Sources, action: &Action) -> Result<Option<Answer>, Error> {
    let answer = match action {
        Action::Put { id, body } => client.put(id, body).await.map(Some),
        Action::Patch { id, body } => client.patch(id, body).await.map(Some),
        Action::Post { id, action } => client.post(id, action, None).await.map(Some),
        Action::Delete { id, query } => client.delete(id, query).await,
        Action::Upload { room, files, id, body, pointer } => {
            let place = uploaded(client, sources, (room, files), id).await?;
            let mut body = body.clone();
            if let Some(hole) = hole(&mut body, pointer) {
                *hole = place;
            }
            client.put(id, &body).await.map(Some)
        }
    };
    let Err(error) = answer else { return answer };
    let refusal = error.refusal();
    let meaning = refusal.map_or(Meaning::Failed, |refusal| meaning(action, refusal.status, &refusal.code));
    match meaning {
        Meaning::Failed => Err(error),
        Meaning::Done => Ok(None),
        Meaning::Look => match client.get(action.target(), Urgency::Change).await? {
            Some(have) if serves(action, &have) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Where files are, once they are uploaded.
async fn uploaded(
    client: &Client,
    sources: &impl Sources,
    (room, files): (&Room, &Files),
    id: &ArmId,
) -> Result<Value, Error> {
    match files {
        Files::InPlace(texts) => upload(client, room, &Folder::texts(texts.clone())).await,
        Files::OfObject { hash } => {
            let _place = sources.place().await;
            let upload = async { upload(client, room, &sources.read(hash).await?).await };
            in_time(id, upload).await
        }
        Files::Above { hash, files } => {
            let _place = sources.place().await;
            let upload = async { upload_above(client, room, &sources.read(hash).await?, files).await };
            in_time(id, upload).await
        }
    }
}

async fn in_time(id: &ArmId, upload: impl Future<Output = Result<Value, Error>>) -> Result<Value, Error> {
    tokio::time::timeout(LONGEST, upload).await.unwrap_or_else(|_| Err(late(id)))
}

fn late(id: &ArmId) -> Error {
    Error::Unreadable {
        verb: "PUT",
        what: format!("the files for {id}"),
        cause: "their upload takes too long; it is tried again".to_owned(),
    }
}

/// The place in a body that a pointer means; its last key need not be there yet.
fn hole<'a>(body: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
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
