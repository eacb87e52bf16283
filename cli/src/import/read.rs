//! Reads a workspace: one list for each collection, and what lists do not have.
//!
//! In: a client and the workspace's id. Out: what Azure shows. Only reads, inside of the budget of requests that the client keeps.

use super::live::{Endpoint, Live};
use super::others::OTHERS;
use anyhow::{Context as _, Result};
use azureml_client::budget::Urgency;
use azureml_client::client::{Asked, Client};
use azureml_client::{ArmId, Error};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

/// The newest version first, and no more than that, as the operator asks for labels.
const NEWEST: [(&str, &str); 2] = [("$orderBy", "createdtime desc"), ("$top", "1")];
/// How many details are asked for side by side.
const SIDE_BY_SIDE: usize = 4;
/// What a job names may name something in turn: a job, its component.
const DEPTH: usize = 3;

/// What shows how far it is: what is read, which of how many.
pub type Told<'a> = &'a (dyn Fn(&str, usize, usize) + Sync);

/// Reads all of a workspace. What cannot be read but the workspace itself is noted, and stops nothing.
///
/// # Errors
/// When the workspace is not there, or may not be read.
pub async fn read(client: &Client, id: &ArmId, told: Told<'_>) -> Result<Live> {
    told("workspace", 0, 1);
    let workspace = client.get(id, Urgency::Change).await.with_context(|| format!("the workspace {id}"))?;
    let workspace = workspace.with_context(|| {
        format!("there is no workspace {id}; correct --workspace, --resource-group or --subscription")
    })?;
    let mut live = Live::new(id.clone(), workspace);
    let reader = Reader { client, id, told };
    let active = [("listViewType", "ActiveOnly")];
    let all = [("listViewType", "All")];
    live.computes = reader.list(&mut live.unread, "computes", &[]).await;
    live.environments = reader.newest(&mut live.unread, "environments", &active).await;
    live.data = reader.newest(&mut live.unread, "data", &active).await;
    live.components = reader.newest(&mut live.unread, "components", &active).await;
    live.schedules = reader.list(&mut live.unread, "schedules", &all).await;
    live.endpoints = reader.endpoints(&mut live.unread).await;
    for other in &OTHERS {
        let found = reader.list(&mut live.unread, other.collection, &[]).await;
        live.others.extend(found.into_iter().map(|body| (other.collection, body)));
    }
    for _ in 0..DEPTH {
        let asked = live.asked();
        if asked.is_empty() {
            break;
        }
        reader.named(&mut live, asked).await;
    }
    live.sort();
    Ok(live)
}

struct Reader<'a> {
    client: &'a Client,
    id: &'a ArmId,
    told: Told<'a>,
}

type Unread = Vec<(String, String)>;

impl Reader<'_> {
    /// A list to its end; none where it cannot be read, which is noted.
    async fn list(
        &self,
        unread: &mut Unread,
        collection: &'static str,
        query: &[(&str, &str)],
    ) -> Vec<Value> {
        (self.told)(collection, 0, 1);
        self.below(unread, self.id, collection, query).await
    }

    async fn below(
        &self,
        unread: &mut Unread,
        parent: &ArmId,
        collection: &str,
        query: &[(&str, &str)],
    ) -> Vec<Value> {
        let asked = Asked { parent, collection, query, urgency: Urgency::Change };
        match self.client.values(asked, |_| true).await {
            Ok(found) => found,
            Err(error) => {
                let name = if parent == self.id {
                    collection.to_owned()
                } else {
                    format!("{collection} of {}", parent.name())
                };
                unread.push((name, error.to_string()));
                Vec::new()
            }
        }
    }

    /// The newest version of each asset of a collection.
    async fn newest(
        &self,
        unread: &mut Unread,
        collection: &'static str,
        query: &[(&str, &str)],
    ) -> Vec<Value> {
        let assets = self.list(unread, collection, query).await;
        let ids: Vec<ArmId> = assets
            .iter()
            .filter_map(|asset| Some(self.id.child(collection, asset["name"].as_str()?)))
            .collect();
        let of = ids.len();
        let pages = stream::iter(ids.into_iter().enumerate()).map(|(number, id)| async move {
            (self.told)(collection, number + 1, of);
            let page = self.client.page(&id, "versions", &NEWEST, Urgency::Change).await;
            (id, page)
        });
        let mut found = Vec::new();
        for (id, page) in pages.buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await {
            match page {
                Ok(page) => found.extend(page.into_iter().next()),
                Err(error) => unread.push((format!("{collection}/{}", id.name()), error.to_string())),
            }
        }
        found
    }

    async fn endpoints(&self, unread: &mut Unread) -> Vec<Endpoint> {
        let bodies = self.list(unread, "batchEndpoints", &[]).await;
        let (of, mut endpoints) = (bodies.len(), Vec::new());
        for (number, body) in bodies.into_iter().enumerate() {
            (self.told)("deployments", number + 1, of);
            let Some(id) = body["name"].as_str().map(|name| self.id.child("batchEndpoints", name)) else {
                continue;
            };
            let deployments = self.below(unread, &id, "deployments", &[]).await;
            endpoints.push(Endpoint { body, deployments });
        }
        endpoints
    }

    /// Components and jobs by their ids.
    async fn named(&self, live: &mut Live, ids: Vec<ArmId>) {
        let of = ids.len();
        let bodies = stream::iter(ids.into_iter().enumerate()).map(|(number, id)| async move {
            (self.told)("what others name", number + 1, of);
            let body: Result<Option<Value>, Error> = self.client.get(&id, Urgency::Change).await;
            (id, body)
        });
        for (id, body) in bodies.buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await {
            match body {
                Ok(body) => {
                    // What is not there is known to be missing, and is not asked for again.
                    live.named.insert(id.key(), body.unwrap_or_default());
                }
                Err(error) => {
                    live.unread.push((id.as_str().to_owned(), error.to_string()));
                    live.named.insert(id.key(), Value::Null);
                }
            }
        }
    }
}
