//! What an MLEnvironment sees in Azure and in registries, in the order in which less and less has to be looked at.

use crate::looks::Look;
use crate::versions::{left_of, versions};
use crate::{Eyes, Observe, Signed, is_requested};
use azureml_client::client::Client;
use azureml_client::image::ImageRef;
use azureml_client::limits::Urgency;
use azureml_client::registry::Access;
use azureml_client::{ArmId, Class, Error};
use azureml_crds::MLEnvironment;
use azureml_crds::ml_workspace::RegistryStatus;
use azureml_plan::Ask;
use azureml_plan::environment::{
    Address, Images, Refs, Seen, Source, Version, Wanted, are_due, build_state, candidates, digest_of,
    followed, is_followed, is_of_content, is_open, is_version_name,
};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_source::Error as Refusal;
use serde_json::Value;

impl Observe for MLEnvironment {
    async fn pin(&self, eyes: &Eyes<'_>, refs: &mut Refs, ask: &Ask) -> Result<Option<Wait>, Error> {
        let (told, is_due) = (Images::told(self), are_due(self, ask));
        let mut images = Images::default();
        let asked = Registry::seen(eyes, self, refs, Urgency::Change);
        for image in followed(self, refs) {
            let known = told.found(&image).cloned();
            match (known, ImageRef::parse(&image)) {
                (Some(known), _) if !is_due => images.hold(image, known),
                (known, Ok(parsed)) if is_followed(self) => match (asked.digest(&parsed).await, known) {
                    (Ok(Some(digest)), _) => images.keep(image, digest),
                    (Ok(None), _) => return Ok(Some(no_image(&image))),
                    // What was found before is as good as it was; the next pass asks again.
                    (Err(error), Some(known)) if ask.requested.is_none() && may_pass(&error) => {
                        tracing::warn!("whether {image} has moved is not known: {error}");
                        images.hold(image, known);
                    }
                    (Err(error), _) => return Err(error),
                },
                _ => {}
            }
        }
        refs.images = images;
        Ok(None)
    }

    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let asked = Registry::seen(eyes, self, refs, look.urgency());
        let is_requested = look.attempt == 0 && is_requested(self);
        let version = self.version(&asked, wanted).await?;
        let is_given = matches!(wanted.source, Source::Given { .. });
        // What is followed has been looked up, or is told by the status.
        let followed = refs.images.get(&wanted.source.image().to_string()).filter(|_| is_given);
        let is_resolved_anew = is_given && (is_requested || followed.is_some());
        if version.is_some() && !is_resolved_anew {
            let task_run = self.open_build(eyes.client, wanted).await?;
            return Ok(Seen { version, task_run, ..Seen::default() });
        }
        // A digest that is written needs no look: it names the image, and the registry may be private.
        // One whose image is gone is looked up, whatever its tag meant before.
        let followed = followed.filter(|_| version.is_some());
        let digest = match wanted.source.image().digest.as_deref().or(followed) {
            Some(digest) => Some(digest.to_owned()),
            None => asked.digest(wanted.source.image()).await?,
        };
        let Source::Built { task_run, .. } = &wanted.source else {
            return Ok(Seen { version, digest, ..Seen::default() });
        };
        let run = eyes.client.get(task_run, Urgency::Change).await?;
        if let (None, None, Some(registry)) = (&digest, &run, task_run.parent()) {
            let registry = eyes.client.get(&registry, Urgency::Change).await?;
            return Ok(Seen { version, registry, ..Seen::default() });
        }
        // The image may have come between the two looks.
        let has_ended = run.as_ref().is_some_and(|run| build_state(run) == "Succeeded");
        let digest = match digest {
            None if has_ended => asked.digest(wanted.source.image()).await?,
            digest => digest,
        };
        let tail = match &run {
            Some(run) if digest.is_none() => tail(eyes.client, task_run, run).await,
            _ => Vec::new(),
        };
        Ok(Seen { version, digest, task_run: run, tail, ..Seen::default() })
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Vec<Version>, Error> {
        let in_force = self.status.as_ref().and_then(|status| status.version.as_deref());
        left_of(eyes, (&address.id, &address.owner), in_force.filter(|name| is_version_name(name))).await
    }
}

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
        let of_this = in_force.filter(|name| is_of_content(name, &wanted.content));
        if let Some(name) = &of_this
            && let Some(body) =
                asked.eyes.client.get(&wanted.id.child("versions", name), asked.urgency).await?
        {
            let version = Version { name: name.clone(), body };
            if asked.has(&version, wanted).await? {
                return Ok(Some(version));
            }
        }
        let listed = versions(asked.eyes.client, &wanted.id, &format!("{}-", wanted.content)).await?;
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
    eyes: &'a Eyes<'a>,
    namespace: &'a str,
    urgency: Urgency,
    own: Option<&'a RegistryStatus>,
}

impl<'a> Registry<'a> {
    fn seen(eyes: &'a Eyes<'a>, environment: &'a MLEnvironment, refs: &'a Refs, urgency: Urgency) -> Self {
        let namespace = environment.metadata.namespace.as_deref().unwrap_or_default();
        Self { eyes, namespace, urgency, own: refs.workspace.registry.as_ref() }
    }

    async fn digest(&self, image: &ImageRef) -> Result<Option<String>, Error> {
        let is_own = self.own.is_some_and(|own| own.login_server.eq_ignore_ascii_case(&image.registry));
        if is_own {
            return self.eyes.registries.digest(image, Access::Own(self.eyes.client)).await;
        }
        let _permit = self.eyes.strangers.permit(self.namespace).await;
        if let Some(signed) = self.eyes.signed {
            return by_password(image, signed).await;
        }
        self.eyes.registries.digest(image, Access::Anonymous).await
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

/// Whether a registry may answer another time.
fn may_pass(error: &Error) -> bool {
    matches!(error.class(), Class::Unavailable | Class::Throttled)
}

fn no_image(image: &str) -> Wait {
    let message = format!("rebuild: the registry has no {image}; push it, or write another image");
    Wait::new(Reason::IMAGE_NOT_FOUND, message).unwatched()
}

/// The digest of an image, from a registry that wants a password: from the host itself, whatever mirror there is.
async fn by_password(image: &ImageRef, Signed { login, net }: &Signed) -> Result<Option<String>, Error> {
    let (registry, what) = (image.registry.clone(), format!("image {image}"));
    match azureml_source::oci::digest(net, image, login).await {
        Ok(digest) => Ok(Some(digest)),
        Err(Refusal::Missing(_)) => Ok(None),
        Err(Refusal::Denied(status)) => Err(Error::RegistryUnauthorized {
            image: image.to_string(),
            registry,
            status,
            by: "with the credentials of imagePullSecretRef",
        }),
        Err(Refusal::Private(_)) => Err(Error::PrivateAddress { verb: "HEAD", what, host: registry }),
        Err(error) => Err(Error::Unreadable { verb: "HEAD", what, cause: error.to_string() }),
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
