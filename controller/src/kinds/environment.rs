//! MLEnvironment: what it reads, in the order in which less and less has to be looked at.

use super::versions::{add_remembered, own_versions, versions};
use super::{find, is_requested, named, never_reached, reach};
use crate::engine::relations::Name;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::Look;
use crate::metrics::{BUILDS, Done};
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::image::ImageRef;
use azureml_client::registry::Access;
use azureml_client::{ArmId, Error};
use azureml_crds::ml_environment::MLEnvironmentStatus;
use azureml_crds::ml_workspace::RegistryStatus;
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLEnvironment, MLWorkspace};
use azureml_plan::environment::{
    Address, Refs, Seen, Source, Version, Wanted, build_state, candidates, digest_of, id, is_of_content,
    is_open, is_version_name,
};
use jiff::SignedDuration;
use kube::ResourceExt as _;
use serde_json::Value;
use std::hash::Hash;
use std::time::Duration;

impl Kind for MLEnvironment {
    const KIND: &'static str = "MLEnvironment";

    fn refers_to(&self) -> Vec<Name> {
        vec![named::<_, MLWorkspace>(self, &self.spec.workspace_ref.name)]
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.as_ref();
        (status.and_then(|status| status.common.azure_id.clone()), self.metadata.generation)
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy != Some(DeletionPolicy::Delete)
    }

    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    /// A build that has ended since the last pass. One that ended long ago was another object's, or another cluster's.
    fn done(&self, after: &MLEnvironmentStatus) -> Option<Done> {
        let before = self.status.as_ref().and_then(|status| status.build.as_ref());
        let build = after.build.as_ref().filter(|build| !is_open(&build.state))?;
        let is_told =
            before.is_some_and(|before| before.run_id == build.run_id && before.state == build.state);
        let age = Context::now().duration_since(build.finished_at.as_ref()?.0);
        if is_told || age > LONG_AGO {
            return None;
        }
        let result = BUILDS.into_iter().find(|word| build.state.eq_ignore_ascii_case(word))?;
        let took = build.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Some(Done::Build { result, took: took.map(Duration::from_secs) })
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        let namespace = self.namespace().unwrap_or_default();
        match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => {
                let refs =
                    Refs { workspace: found.workspace, owner: ctx.owner(&namespace, &self.name_any()) };
                Resolved::Found(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(wait) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let registry = reached.refs.workspace.registry.as_ref();
        let namespace = self.namespace().unwrap_or_default();
        let (client, urgency) = (&reached.client, look.urgency());
        let asked = Registry { ctx, namespace: &namespace, urgency, client, own: registry };
        let is_requested = look.attempt == 0 && is_requested(self);
        let version = self.version(&asked, wanted).await?;
        let is_resolved_anew = is_requested && matches!(wanted.source, Source::Given(_));
        if version.is_some() && !is_resolved_anew {
            let task_run = self.open_build(&reached.client, wanted).await?;
            return Ok(Seen { version, task_run, ..Seen::default() });
        }
        // A digest that is written needs no look: it names the image, and the registry may be private.
        let digest = match &wanted.source.image().digest {
            Some(digest) => Some(digest.clone()),
            None => asked.digest(wanted.source.image()).await?,
        };
        let Source::Built { task_run, .. } = &wanted.source else {
            return Ok(Seen { version, digest, ..Seen::default() });
        };
        let run = reached.client.get(task_run, Urgency::Change).await?;
        if let (None, None, Some(registry)) = (&digest, &run, task_run.parent()) {
            let registry = reached.client.get(&registry, Urgency::Change).await?;
            return Ok(Seen { version, registry, ..Seen::default() });
        }
        // The image may have come between the two looks.
        let has_ended = run.as_ref().is_some_and(|run| build_state(run) == "Succeeded");
        let digest = match digest {
            None if has_ended => asked.digest(wanted.source.image()).await?,
            digest => digest,
        };
        let tail = match &run {
            Some(run) if digest.is_none() => tail(&reached.client, task_run, run).await,
            _ => Vec::new(),
        };
        Ok(Seen { version, digest, task_run: run, tail, ..Seen::default() })
    }

    async fn leaving(&self, ctx: &Context) -> Leaving<Address> {
        let namespace = self.namespace().unwrap_or_default();
        let was_made = self.status.as_ref().is_some_and(|status| status.common.azure_id.is_some());
        match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => {
                let refs = Address {
                    id: id(self, &found.workspace.id),
                    owner: ctx.owner(&namespace, &self.name_any()),
                };
                Leaving::Address(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(_) if !was_made && never_reached(ctx, &namespace, &self.spec.workspace_ref.name) => {
                Leaving::Nothing
            }
            Err(wait) => Leaving::Blocked(wait),
        }
    }

    async fn left(&self, ctx: &Context, reached: &Reached<Address>) -> Result<Vec<Version>, Error> {
        let id = &reached.refs.id;
        let found = own_versions(&reached.client, id, &reached.refs.owner).await?;
        let in_force = self.status.as_ref().and_then(|status| status.version.as_ref());
        let in_force = in_force.filter(|name| is_version_name(name)).map(|name| id.child("versions", name));
        let remembered = ctx.looks.noted(id).into_iter().chain(in_force).collect();
        let mut all = vec![(id.clone(), found)];
        add_remembered(&reached.client, remembered, &mut all).await?;
        let of_this = all.into_iter().filter(|(container, _)| container.key() == id.key());
        Ok(of_this.flat_map(|(_, versions)| versions).collect())
    }
}

/// Longer than any wait between two looks at a build.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(1);

trait Versioned {
    fn open_build(
        &self,
        client: &Client,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Value>, Error>> + Send;

    fn version(
        &self,
        asked: &Registry<'_>,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Version>, Error>> + Send;
}

impl Versioned for MLEnvironment {
    /// The task run, where `status` has not told its end yet: an image is there before its run has ended.
    async fn open_build(&self, client: &Client, wanted: &Wanted) -> Result<Option<Value>, Error> {
        let build = self.status.as_ref().and_then(|status| status.build.as_ref());
        match (&wanted.source, build) {
            (Source::Built { task_run, .. }, Some(build))
                if build.name == task_run.name() && is_open(&build.state) =>
            {
                client.get(task_run, Urgency::Change).await
            }
            _ => Ok(None),
        }
    }

    /// The version of this content whose image exists: the one in force, else the newest.
    async fn version(&self, asked: &Registry<'_>, wanted: &Wanted) -> Result<Option<Version>, Error> {
        let in_force = self.status.as_ref().and_then(|status| status.version.clone());
        let of_this = in_force.filter(|name| is_of_content(name, &self.spec));
        if let Some(name) = &of_this
            && let Some(body) = asked.client.get(&wanted.id.child("versions", name), asked.urgency).await?
        {
            let version = Version { name: name.clone(), body };
            if asked.has(&version, wanted).await? {
                return Ok(Some(version));
            }
        }
        let listed = versions(asked.client, &wanted.id, &format!("{}-", wanted.content)).await?;
        for version in candidates(None, wanted, listed) {
            if Some(&version.name) != of_this.as_ref() && asked.has(&version, wanted).await? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }
}

/// Registries as this workspace sees them.
struct Registry<'a> {
    ctx: &'a Context,
    namespace: &'a str,
    urgency: Urgency,
    client: &'a Client,
    own: Option<&'a RegistryStatus>,
}

impl Registry<'_> {
    async fn digest(&self, image: &ImageRef) -> Result<Option<String>, Error> {
        let is_own = self.own.is_some_and(|own| own.login_server.eq_ignore_ascii_case(&image.registry));
        if is_own {
            return self.ctx.identities.registries.digest(image, Access::Own(self.client)).await;
        }
        let _permit = self.ctx.strangers.permit(self.namespace).await;
        self.ctx.identities.registries.digest(image, Access::Anonymous).await
    }

    /// Whether the image of a version is still there. One that was given by its digest is not looked up.
    async fn has(&self, version: &Version, wanted: &Wanted) -> Result<bool, Error> {
        if wanted.source.image().digest.is_some() {
            return Ok(true);
        }
        let Some(image) = version.image().filter(|image| digest_of(image).is_some()) else { return Ok(true) };
        match ImageRef::parse(image) {
            Ok(image) => self.digest(&image).await.map(|digest| digest.is_some()),
            Err(_) => Ok(false),
        }
    }
}

/// The most of a log that is read.
const TAIL: u64 = 8 << 10;

/// The last lines of the log of a run that failed; none when the log cannot be read, which is no reason to fail.
async fn tail(client: &Client, task_run: &ArmId, run: &Value) -> Vec<String> {
    let result = &run["properties"]["runResult"]["properties"];
    let (Some(run_id), Some(registry)) = (result["runId"].as_str(), task_run.parent()) else {
        return Vec::new();
    };
    if !matches!(result["status"].as_str(), Some("Failed" | "Error" | "Timeout")) {
        return Vec::new();
    }
    let read = async {
        let answer = client.post(&registry.child("runs", run_id), "listLogSasUrl", None).await?;
        let link = answer.body["logLink"].as_str().unwrap_or_default();
        client.blob_tail(link, TAIL).await
    };
    match read.await {
        Ok(bytes) => String::from_utf8_lossy(&bytes.unwrap_or_default())
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        Err(error) => {
            tracing::warn!("the log of run {run_id} cannot be read: {error}");
            Vec::new()
        }
    }
}

/// The environment version of an MLEnvironment, for a pipeline: once it is that of the spec as it is now. Of its status only the
/// version is believed, and only one of this content.
pub fn environment(ctx: &Context, namespace: &str, name: &str) -> Result<String, Wait> {
    let environment = find(&ctx.stores.environments, namespace, name).ok_or_else(|| {
        Wait::new("ReferenceNotFound", format!("there is no MLEnvironment {name} in this namespace yet"))
    })?;
    let workspace = find(&ctx.stores.workspaces, namespace, &environment.spec.workspace_ref.name);
    let version = environment.status.as_ref().and_then(|status| status.version.clone());
    let version = version.filter(|version| is_of_content(version, &environment.spec));
    match (workspace, version) {
        (Some(workspace), Some(version)) => {
            let id = id(&environment, &azureml_plan::workspace::id(&workspace));
            Ok(id.child("versions", &version).to_string())
        }
        _ => Err(Wait::new(
            "ReferenceNotReady",
            format!("MLEnvironment {name} has no version of its present spec yet"),
        )),
    }
}
