//! Whether a workspace can be worked with, before anything is made in it: what was asked, and what the answers mean.
//!
//! In: answers of Azure, what objects tell. Out: the list `status.preflight`. Only what Azure was seen to do is True; what only a
//! build or a run can show is Unknown until one has.

use crate::reasons::{Reason, Word};
use crate::trouble::Trouble;
use azureml_client::Class;
use azureml_client::id::CONTAINER_REGISTRY;
use azureml_crds::ml_workspace::{Preflight, PreflightCheck, PreflightStatus};
use serde_json::Value;

const READ_WORKSPACE: &str = "Microsoft.MachineLearningServices/workspaces/read";
const READ_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/read";
const READ_DATASTORES: &str = "Microsoft.MachineLearningServices/workspaces/datastores/read";

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The answer says nothing, or nobody could be asked.
    Open,
    /// It was answered.
    Done,
    /// It was refused, or there was no answer; with the reason.
    Refused(Word),
}

/// What the storage of a workspace answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// The default datastore; null where there is none.
    pub datastore: Result<Value, Word>,
    /// Whether the host of its blobs answers.
    pub host: Asked,
}

/// What is known of a workspace that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Whether an image was built in its registry, by the builds of this namespace.
    pub build: Asked,
    /// Whether a run in it has succeeded.
    pub has_run: bool,
    /// What its storage answered; none where it was not asked now.
    pub storage: Option<Storage>,
}

/// The list, in the order in which things are needed. What was not asked now stays as it was told before.
#[must_use]
pub fn told(evidence: &Evidence, before: &[Preflight]) -> Vec<Preflight> {
    let mut list = vec![
        item(PreflightCheck::ReadWorkspace, PreflightStatus::True, "the workspace was read"),
        build(&evidence.build),
        pull(evidence.has_run),
    ];
    // What was seen once stays seen, also when the object that showed it is gone.
    for item in list.iter_mut().filter(|item| item.status == PreflightStatus::Unknown) {
        let seen = before.iter().find(|one| one.check == item.check && one.status == PreflightStatus::True);
        if let Some(seen) = seen {
            item.clone_from(seen);
        }
    }
    match &evidence.storage {
        Some(storage) => list.extend([host(&storage.host), mode(&storage.datastore)]),
        None => list.extend(before.iter().filter(|item| is_of_storage(item)).cloned()),
    }
    list
}

/// The list where the workspace, or its registry, could not be read: the one that was refused says so.
#[must_use]
pub fn refused(before: &[Preflight], trouble: &Trouble) -> Vec<Preflight> {
    let reason = &trouble.reason;
    let (status, needs) = if trouble.class == Class::Forbidden {
        (PreflightStatus::False, "the identity needs")
    } else {
        (PreflightStatus::Unknown, "it was not answered; the identity needs")
    };
    let (check, action) = if trouble.message.contains(CONTAINER_REGISTRY) {
        (PreflightCheck::BuildInRegistry, READ_REGISTRY)
    } else {
        (PreflightCheck::ReadWorkspace, READ_WORKSPACE)
    };
    let was_seen = before.iter().any(|item| item.check == check && item.status == PreflightStatus::True);
    if status == PreflightStatus::Unknown && was_seen {
        // Only a refusal takes back what was seen.
        return before.to_vec();
    }
    let told = item(check, status, format!("{reason}: {needs} '{action}'"));
    let others = before.iter().filter(|item| item.check != check).cloned();
    [told].into_iter().chain(others).collect()
}

/// Whether the storage has to be asked, since not everything of it was seen to be well.
#[must_use]
pub fn asks_storage(before: &[Preflight]) -> bool {
    let of_storage = || before.iter().filter(|item| is_of_storage(item));
    of_storage().count() < 2 || of_storage().any(|item| item.status != PreflightStatus::True)
}

fn is_of_storage(item: &Preflight) -> bool {
    matches!(item.check, PreflightCheck::ReachStorage | PreflightCheck::StorageMode)
}

fn item(check: PreflightCheck, status: PreflightStatus, message: impl Into<String>) -> Preflight {
    Preflight { check, status, message: message.into() }
}

fn build(build: &Asked) -> Preflight {
    let (status, message) = match build {
        Asked::Done => (PreflightStatus::True, "an image was built".to_owned()),
        Asked::Open => (PreflightStatus::Unknown, "no image was built yet; the first build tells".to_owned()),
        Asked::Refused(reason) => (PreflightStatus::False, format!("a build was refused: {reason}")),
    };
    item(PreflightCheck::BuildInRegistry, status, message)
}

fn pull(has_run: bool) -> Preflight {
    let (status, message) = if has_run {
        (PreflightStatus::True, "a run has succeeded, so its cluster pulled an image")
    } else {
        (
            PreflightStatus::Unknown,
            "the first run tells; the cluster's identity, or the workspace's, needs AcrPull on the registry",
        )
    };
    item(PreflightCheck::PullByClusters, status, message)
}

fn host(host: &Asked) -> Preflight {
    let (status, message) = match host {
        Asked::Open => (PreflightStatus::Unknown, "the address of its blobs is not known".to_owned()),
        Asked::Done => (PreflightStatus::True, "the host of its blobs answers".to_owned()),
        Asked::Refused(reason) if *reason == Reason::FOREIGN_HOST => (
            PreflightStatus::False,
            format!(
                "{reason}: its host is none of the cloud's; name it in clouds[].storageHosts if it is yours"
            ),
        ),
        Asked::Refused(reason) => (
            PreflightStatus::False,
            format!(
                "{reason}: files cannot be uploaded; open the network from the operator to the storage account"
            ),
        ),
    };
    item(PreflightCheck::ReachStorage, status, message)
}

fn mode(datastore: &Result<Value, Word>) -> Preflight {
    let unknown = |message: String| (PreflightStatus::Unknown, message);
    let (status, message) = match datastore {
        Err(reason) => unknown(format!("{reason}: the identity needs '{READ_DATASTORES}' to tell")),
        Ok(store) => match store["properties"]["credentials"]["credentialsType"].as_str() {
            Some("AccountKey" | "Sas") => {
                (PreflightStatus::True, "files are uploaded with keys of the account".to_owned())
            }
            Some(_) => unknown(
                "the account takes identities: the operator's needs Storage Blob Data Contributor on it"
                    .to_owned(),
            ),
            None => unknown("the workspace has no default datastore of blobs".to_owned()),
        },
    };
    item(PreflightCheck::StorageMode, status, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statuses(list: &[Preflight]) -> Vec<PreflightStatus> {
        list.iter().map(|item| item.status).collect()
    }

    #[test]
    fn only_what_was_seen_is_true_and_what_was_not_asked_stays() {
        use PreflightStatus::{False, True, Unknown};
        let keys = json!({"properties": {"credentials": {"credentialsType": "AccountKey"}}});
        let storage = Some(Storage { datastore: Ok(keys), host: Asked::Done });
        let best = Evidence { build: Asked::Done, has_run: true, storage };
        let all = told(&best, &[]);
        assert_eq!(statuses(&all), [True; 5]);
        assert!(!asks_storage(&all) && asks_storage(&[]) && asks_storage(&all[..4]));
        let later = Evidence { build: Asked::Open, has_run: false, storage: None };
        assert_eq!(statuses(&told(&later, &all)), [True; 5], "what was seen stays seen");
        assert_eq!(statuses(&told(&later, &[])), [True, Unknown, Unknown]);
        let refused = || Asked::Refused(Reason::AUTHORIZATION_FAILED.into());
        let datastore = Err(Reason::AUTHORIZATION_FAILED.into());
        let worst = told(
            &Evidence {
                build: refused(),
                has_run: false,
                storage: Some(Storage { datastore, host: refused() }),
            },
            &all,
        );
        assert_eq!(statuses(&worst), [True, False, True, False, Unknown]);
        assert!(asks_storage(&worst));
    }

    #[test]
    fn a_refusal_is_told_of_what_was_refused_and_the_rest_stays() {
        let read = Evidence { build: Asked::Done, has_run: true, storage: None };
        let trouble = |class, what: &str| Trouble {
            class,
            reason: Reason::AUTHORIZATION_FAILED.into(),
            message: format!("GET /subscriptions/s/resourceGroups/g/providers/{what}: 403"),
            words: String::new(),
            verb: "GET",
            retry_after: None,
        };
        let of =
            |list: &[Preflight], check| list.iter().find(|item| item.check == check).map(|item| item.status);
        let workspace = "Microsoft.MachineLearningServices/workspaces/w";
        let list = refused(&told(&read, &[]), &trouble(Class::Forbidden, workspace));
        assert_eq!(of(&list, PreflightCheck::ReadWorkspace), Some(PreflightStatus::False));
        assert_eq!(of(&list, PreflightCheck::BuildInRegistry), Some(PreflightStatus::True));
        assert_eq!(list.len(), 3);
        let list = refused(&list, &trouble(Class::Forbidden, "Microsoft.ContainerRegistry/registries/r"));
        assert_eq!(of(&list, PreflightCheck::BuildInRegistry), Some(PreflightStatus::False));
        let list = refused(&[], &trouble(Class::Unavailable, workspace));
        assert_eq!(of(&list, PreflightCheck::ReadWorkspace), Some(PreflightStatus::Unknown));
        let seen = told(&read, &[]);
        assert_eq!(refused(&seen, &trouble(Class::Unavailable, workspace)), seen);
    }
}
