//! Waiting on a watch until an object is as it should be, or gone; what it was instead is in the error.

use crate::PATIENCE;
use crate::scene::{Object, Scene, kinds};
use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, stream};
use kube::api::Api;
use kube::core::DynamicObject;
use kube::runtime::wait::await_condition;
use kube::runtime::{WatchStreamExt as _, watcher};
use serde::Serialize;
use serde_json::Value;
use std::time::{Duration, Instant};

impl Scene {
    /// Waits, on a watch, until an object is as it should be.
    ///
    /// # Errors
    /// When it does not become so in time; the error shows the object and what Azure received.
    pub async fn wait<K: Object>(
        &self,
        name: &str,
        what: &str,
        is_so: impl Fn(&K) -> bool + Send + Sync,
    ) -> Result<K> {
        let condition = |object: Option<&K>| object.is_some_and(&is_so);
        let waiting = async {
            let mut beat = tokio::time::interval(Duration::from_millis(200));
            loop {
                beat.tick().await;
                match await_condition(self.api::<K>(), name, condition).await {
                    // Where another test has just changed the definition, the API server reads all of the kind anew.
                    Err(error) if error.to_string().contains("(re)initializing") => {}
                    waited => return waited,
                }
            }
        };
        if let Ok(found) = tokio::time::timeout(PATIENCE, waiting).await {
            return found?.with_context(|| format!("{name} is gone"));
        }
        let object = self.api::<K>().get_opt(name).await?;
        bail!("{name} is not {what}:\n{}\nAzure received:{}", shown(object.as_ref()), self.requests_shown(40))
    }

    /// Waits until an event of an object, as `MLPipeline/iris`, has a reason and says something: events are written aside, after the
    /// status.
    ///
    /// # Errors
    /// When no event says it in time; the error shows all that there are.
    pub async fn told(&self, object: &str, reason: &str, what: &str) -> Result<()> {
        let (until, reason) = (Instant::now() + PATIENCE, format!("{reason}: "));
        let mut beat = tokio::time::interval(Duration::from_millis(200));
        loop {
            beat.tick().await;
            let events = self.events().await?;
            let is_it = |said: &str| said.strip_prefix(&reason).is_some_and(|note| note.contains(what));
            if events.iter().any(|(who, said)| who == object && is_it(said)) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "no event of {object} says {reason}{what}: {events:#?}");
        }
    }

    /// Waits, on watches, until some object of ours is as it should be, for as long as the caller does.
    ///
    /// # Errors
    /// When the watches end.
    pub async fn wait_for_any(&self, is_so: impl Fn(&Value) -> bool) -> Result<()> {
        let watches = kinds().into_iter().map(|kind| {
            let api: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), &self.namespace, &kind);
            watcher(api, watcher::Config::default()).default_backoff().touched_objects().boxed()
        });
        let mut objects = stream::select_all(watches);
        while let Some(object) = objects.next().await {
            // What failed is tried again.
            let Ok(object) = object else { continue };
            if is_so(&serde_json::to_value(&object)?) {
                return Ok(());
            }
        }
        bail!("the watches have ended")
    }

    /// Waits, on a watch, until an object is gone.
    ///
    /// # Errors
    /// When it does not go in time.
    pub async fn wait_gone<K: Object>(&self, name: &str) -> Result<()> {
        let condition = |object: Option<&K>| object.is_none();
        if tokio::time::timeout(PATIENCE, await_condition(self.api::<K>(), name, condition)).await.is_err() {
            let object = self.api::<K>().get_opt(name).await?;
            bail!(
                "{name} is not gone:\n{}\nAzure received:{}",
                shown(object.as_ref()),
                self.requests_shown(40)
            );
        }
        Ok(())
    }
}

fn shown<K: Serialize>(object: Option<&K>) -> String {
    let value = object.map(|object| serde_json::to_value(object).unwrap_or_default()).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}
