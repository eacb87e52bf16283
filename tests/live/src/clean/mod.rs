//! Removing what a check made: found in Azure by the owner's tag of the check and by nothing else, type by type.
//!
//! In: whose things. Out: what was removed, and what could not be, with the reason. Does not stop at a refusal.

mod builds;

use crate::door::{Answer, Door};
use crate::ground::Workspace;
use crate::names::Whose;
use crate::setup::Setup;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long something may take to go.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long to wait before something that is still being made is deleted again.
const LOOK: Duration = Duration::from_secs(1);

/// What a cleaning did.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// What was removed.
    pub removed: Vec<String>,
    /// What was not, and why.
    pub left: Vec<String>,
}

impl Swept {
    fn note(&mut self, what: String, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.removed.push(what),
            Err(error) => self.left.push(format!("{what}: {error:#}")),
        }
    }
}

/// A cleaning.
pub struct Sweep<'a> {
    /// The way to Azure.
    pub door: &'a Door,
    /// Where the check took place.
    pub setup: &'a Setup,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Whose things.
    pub whose: Whose,
}

/// Types whose items are tracked resources or carry their tags in `properties`, in the order of their removal. Each with
/// the query of its list, and of its deletion.
const PLAIN: [(&str, &str, &str); 2] =
    [("batchEndpoints", "", ""), ("computes", "", "?underlyingResourceAction=Delete")];

impl Sweep<'_> {
    /// Cleans.
    pub async fn all(&self) -> Swept {
        let mut swept = Swept::default();
        self.schedules(&mut swept).await;
        self.jobs(&mut swept).await;
        for (kind, query, how) in PLAIN {
            self.plain(kind, (query, how), &mut swept).await;
        }
        let codes = self.assets("components", &mut swept).await;
        self.codes(&codes, &mut swept).await;
        self.assets("environments", &mut swept).await;
        self.builds(&mut swept).await;
        swept
    }

    fn id(&self, kind: &str, name: &str) -> String {
        self.workspace.id.child(kind, name).to_string()
    }

    /// The items of a list that are ours; a list that is refused is told.
    async fn ours(&self, list: &str, query: &str, swept: &mut Swept) -> Vec<Value> {
        let found = match self.door.list(&format!("{}/{list}{query}", self.workspace.id)).await {
            Ok(found) => found,
            Err(error) => {
                swept.left.push(format!("whatever is in {list}: {error:#}"));
                return Vec::new();
            }
        };
        found.into_iter().filter(|item| self.whose.owns(tags(item))).collect()
    }

    async fn plain(&self, kind: &str, (query, how): (&str, &str), swept: &mut Swept) {
        for item in self.ours(kind, query, swept).await {
            let id = self.id(kind, name(&item));
            let outcome = self.delete(&id, how).await;
            swept.note(format!("{kind} {}", name(&item)), outcome);
        }
    }

    /// Disabled first, as Azure wants it.
    async fn schedules(&self, swept: &mut Swept) {
        for item in self.ours("schedules", "?listViewType=All", swept).await {
            let id = self.id("schedules", name(&item));
            let outcome = async {
                if item["properties"]["isEnabled"] != false {
                    let disabled = self.door.put(&id, &disabled(&item["properties"])).await?;
                    succeeded(&disabled)?;
                    self.settled(&id).await?;
                }
                self.delete(&id, "").await
            };
            let outcome = outcome.await;
            swept.note(format!("schedule {}", name(&item)), outcome);
        }
    }

    /// Cancelled first, since only an ended job can be deleted.
    async fn jobs(&self, swept: &mut Swept) {
        let query = format!("?listViewType=All&tag={}", azureml_plan::owner::OWNER);
        for item in self.ours("jobs", &query, swept).await {
            let id = self.id("jobs", name(&item));
            let outcome = async {
                if !is_over(&item) {
                    // Refused when it has ended meanwhile; the next look tells.
                    self.door.post(&format!("{id}/cancel")).await?;
                    self.until(&id, is_over).await?;
                }
                self.delete(&id, "").await
            };
            let outcome = outcome.await;
            swept.note(format!("job {}", name(&item)), outcome);
        }
    }

    /// Versions, then the container when nothing of others is in it. Gives the codes that the versions name.
    async fn assets(&self, kind: &str, swept: &mut Swept) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        let list = self.door.list(&format!("{}/{kind}?listViewType=All", self.workspace.id)).await;
        let containers = match list {
            Ok(found) => found,
            Err(error) => {
                swept.left.push(format!("whatever is in {kind}: {error:#}"));
                return codes;
            }
        };
        for container in containers.iter().filter(|container| looks_like_ours(name(container))) {
            let inside = format!("{kind}/{}/versions", name(container));
            let versions = self.ours(&inside, "?listViewType=All", swept).await;
            codes.extend(versions.iter().filter_map(|version| code_of(&version["properties"])));
            for version in &versions {
                let id = self.id(kind, name(container)) + "/versions/" + name(version);
                let outcome = self.delete(&id, "").await;
                swept.note(format!("{kind} {}:{}", name(container), name(version)), outcome);
            }
            if !versions.is_empty() {
                // Its own deletion takes what is in it along; where others have versions in it, it stays.
                let rest = self.door.list(&format!("{}/{inside}?listViewType=All", self.workspace.id)).await;
                if rest.is_ok_and(|rest| rest.is_empty()) {
                    let outcome = self.delete(&self.id(kind, name(container)), "").await;
                    swept.note(format!("{kind} {}", name(container)), outcome);
                }
            }
        }
        codes
    }

    async fn codes(&self, codes: &BTreeSet<String>, swept: &mut Swept) {
        for code in codes {
            let outcome = self.delete(code, "").await;
            let container = code.rsplit_once("/versions/").map(|(container, _)| container.to_owned());
            swept.note(format!("code {}", code.rsplit('/').next().unwrap_or_default()), outcome);
            if let Some(container) = container {
                let rest = self.door.list(&format!("{container}/versions")).await;
                if rest.is_ok_and(|rest| rest.is_empty()) {
                    let outcome = self.delete(&container, "").await;
                    swept.note(format!("code {}", container.rsplit('/').next().unwrap_or_default()), outcome);
                }
            }
        }
    }

    /// Deletes, and waits until it is gone. What is still being made is deleted when it is made.
    async fn delete(&self, id: &str, how: &str) -> Result<()> {
        let limit = Instant::now() + PATIENCE;
        let answer = loop {
            let answer = self.door.delete(&format!("{id}{how}")).await?;
            if answer.status != 409 || Instant::now() > limit {
                break answer;
            }
            tokio::time::sleep(LOOK).await;
        };
        if answer.status == 404 {
            return Ok(());
        }
        succeeded(&answer)?;
        self.until(id, |_| false).await
    }

    async fn settled(&self, id: &str) -> Result<()> {
        let ends = ["Succeeded", "Failed", "Canceled"];
        self.until(id, |item| {
            item["properties"]["provisioningState"].as_str().is_none_or(|state| ends.contains(&state))
        })
        .await
    }

    /// Looks until it is gone, or as wanted.
    async fn until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Result<()> {
        let (limit, mut delay) = (Instant::now() + PATIENCE, Duration::from_millis(100));
        loop {
            let answer = self.door.get(id).await?;
            if answer.status == 404 || (answer.is_success() && is_so(&answer.body)) {
                return Ok(());
            }
            if Instant::now() > limit {
                bail!("it is still there after {} minutes ({})", PATIENCE.as_secs() / 60, answer.said());
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(Duration::from_secs(10));
        }
    }
}

/// Of tracked resources at the top, of others in `properties`.
fn tags(item: &Value) -> &Value {
    if item["tags"].is_object() { &item["tags"] } else { &item["properties"]["tags"] }
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

/// Only to look into few containers; the tags of the versions decide.
fn looks_like_ours(name: &str) -> bool {
    name.starts_with("live-") || name.starts_with("live_")
}

fn is_over(job: &Value) -> bool {
    ["Completed", "Failed", "Canceled"].iter().any(|end| job["properties"]["status"] == *end)
}

fn code_of(properties: &Value) -> Option<String> {
    let code = properties["componentSpec"]["code"].as_str()?;
    let id = code.strip_prefix("azureml:").unwrap_or(code);
    id.starts_with('/').then(|| id.to_owned())
}

/// The body of a schedule with what may be sent, disabled.
fn disabled(properties: &Value) -> Value {
    let keys = ["displayName", "description", "tags", "properties", "trigger", "action"];
    let mut body: serde_json::Map<String, Value> = keys
        .iter()
        .filter_map(|key| {
            Some(((*key).to_owned(), properties.get(*key).filter(|value| !value.is_null())?.clone()))
        })
        .collect();
    body.insert("isEnabled".to_owned(), json!(false));
    json!({"properties": body})
}

fn succeeded(answer: &Answer) -> Result<()> {
    if answer.is_success() { Ok(()) } else { bail!("Azure answers {}", answer.said()) }
}
