//! A plan and its parts: plain data that says what to send, what to tell, and when to look again.
//!
//! An [`Action`] holds exactly the request that will be sent, so that a snapshot of a plan is the wire.

use crate::change::Change;
use crate::owner::Holder;
use crate::reasons::{Reason, Word};
use azureml_client::ArmId;
use azureml_crds::shared::Drift;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One change in Azure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Makes or replaces a resource.
    Put {
        /// The resource.
        id: ArmId,
        /// The whole body.
        body: Value,
    },
    /// Changes a part of a resource.
    Patch {
        /// The resource.
        id: ArmId,
        /// The part.
        body: Value,
    },
    /// Calls an action of a resource.
    Post {
        /// The resource.
        id: ArmId,
        /// The action, such as `cancel`.
        action: &'static str,
    },
    /// Removes a resource.
    Delete {
        /// The resource.
        id: ArmId,
        /// Query parameters.
        query: Vec<(&'static str, &'static str)>,
    },
    /// Uploads files and then makes the resource that names the place where they are.
    Upload {
        /// Where Azure gives room for the files.
        room: Room,
        /// The files.
        files: Files,
        /// The resource to make after the upload.
        id: ArmId,
        /// Its body, but for the place.
        body: Value,
        /// Where in the body the place goes, as a JSON pointer.
        pointer: &'static str,
    },
}

/// Files that are uploaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Files {
    /// Relative path to content.
    InPlace(BTreeMap<String, String>),
    /// Those of the object that have this hash. They are read again, since they are not kept.
    OfObject {
        /// Azure ML's hash of files.
        hash: String,
    },
    /// Files that lie above those of the object with this hash.
    Above {
        /// The hash of a context.
        hash: String,
        /// Relative path to content: they take the place of those with their names.
        files: BTreeMap<String, String>,
    },
}

/// Where Azure gives room for files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Room {
    /// A container of the workspace's storage, asked for a code version (`startPendingUpload`).
    Code(ArmId),
    /// A folder of the workspace's default datastore, named by the hash of its files, as Microsoft's client names it.
    Datastore {
        /// The workspace.
        workspace: ArmId,
        /// Azure ML's hash of the files.
        hash: String,
        /// The only file, where its address is wanted and not the folder's.
        file: Option<String>,
    },
    /// The source store of a registry's build service (`listBuildSourceUploadUrl`).
    BuildSource(ArmId),
}

impl Action {
    /// The resource that is changed.
    #[must_use]
    pub fn target(&self) -> &ArmId {
        match self {
            Self::Put { id, .. }
            | Self::Patch { id, .. }
            | Self::Post { id, .. }
            | Self::Delete { id, .. }
            | Self::Upload { id, .. } => id,
        }
    }
}

/// What a pass says of its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What kind of answer.
    pub state: State,
    /// A reason, or Azure's own code where Azure refused.
    pub reason: Word,
    /// The thing, the cause and the remedy.
    pub message: String,
}

/// What kind of answer a pass gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// All is as it should be.
    Ready,
    /// Work goes on, or something is waited for that comes by itself.
    Working,
    /// Only a change of something can help.
    Stalled,
}

impl Verdict {
    /// All is as it should be.
    #[must_use]
    pub fn ready(reason: impl Into<Word>, message: impl Into<String>) -> Self {
        Self { state: State::Ready, reason: reason.into(), message: message.into() }
    }
    /// Work goes on.
    #[must_use]
    pub fn working(reason: impl Into<Word>, message: impl Into<String>) -> Self {
        Self { state: State::Working, reason: reason.into(), message: message.into() }
    }
    /// Only a change can help.
    #[must_use]
    pub fn stalled(reason: impl Into<Word>, message: impl Into<String>) -> Self {
        Self { state: State::Stalled, reason: reason.into(), message: message.into() }
    }
}

/// When the next pass is due, if nothing wakes the object before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Next {
    /// At once: what was sent is done, and more is to do.
    Now,
    /// Something goes on in Azure: look soon, and less often the longer it takes.
    Look,
    /// Something is in the way that may go: look soon, and ever less often.
    Again,
    /// After a delay.
    After(Duration),
    /// At the next comparison of the workspace.
    Tick,
    /// When something changes, with a slow look as a net.
    Change,
    /// Never: nothing is left to do for this object.
    Leave,
    /// As [`Next::Leave`], since Azure shows nothing to remove; but something may still be on its way there.
    Absent,
}

/// A failure that Azure reports of a resource, not of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Azure's code, or a reason of ours.
    pub reason: Word,
    /// Azure's message.
    pub message: String,
    /// Whether a quota is the cause.
    pub is_quota: bool,
}

/// What a pass decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What to send now; nothing orders it, so it may go side by side.
    pub actions: Vec<Action>,
    /// What to change in this cluster, before anything is sent to Azure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<Change>,
    /// What to say.
    pub verdict: Verdict,
    /// When to look again.
    pub next: Next,
    /// A moment at which a pass is due in any case.
    pub at: Option<Timestamp>,
    /// What differs in Azure although nothing was changed here.
    pub drift: Vec<Drift>,
    /// The hash of what is wanted, once Azure holds it.
    pub applied: Option<String>,
    /// What failed in Azure; with an action it is tried again.
    pub failed: Option<Failed>,
    /// Conditions beside the usual three: type, status, reason, message.
    pub conditions: Vec<Extra>,
    /// What is worth an event when the status changes: reason and message. It is a warning, unless it is nobody's turn.
    pub warnings: Vec<(Reason, String)>,
    /// The object of this cluster that has what this one wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<Holder>,
}

/// A condition of a kind's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extra {
    /// The type.
    pub r#type: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

impl Plan {
    /// A plan that only says something.
    #[must_use]
    pub fn say(verdict: Verdict, next: Next) -> Self {
        Self {
            actions: Vec::new(),
            cluster: Vec::new(),
            verdict,
            next,
            at: None,
            drift: Vec::new(),
            applied: None,
            failed: None,
            conditions: Vec::new(),
            warnings: Vec::new(),
            taken_by: None,
        }
    }

    /// A plan that sends something.
    #[must_use]
    pub fn send(actions: Vec<Action>, verdict: Verdict, next: Next) -> Self {
        Self { actions, ..Self::say(verdict, next) }
    }

    /// Nothing is left to do for an object that is being deleted.
    #[must_use]
    pub fn leave(message: impl Into<String>) -> Self {
        Self::say(Verdict::ready(Reason::DELETED, message), Next::Leave)
    }

    /// Azure has nothing of an object that is being deleted.
    #[must_use]
    pub fn absent(message: impl Into<String>) -> Self {
        Self::say(Verdict::ready(Reason::DELETED, message), Next::Absent)
    }
}
