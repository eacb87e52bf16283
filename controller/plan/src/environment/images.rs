//! What the tags mean that an environment follows, and when they are looked up again.
//!
//! In: a spec, a status, now. Out: digests, a moment. Looks nothing up.

use crate::context::Ask;
use crate::time;
use azureml_client::image::is_digest;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{FollowedImage, Rebuild};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Digests of images by their names as they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images(BTreeMap<String, String>);

impl Images {
    /// The digest of an image.
    #[must_use]
    pub fn get(&self, image: &str) -> Option<&str> {
        self.0.get(image).map(String::as_str)
    }

    /// Keeps the digest of an image.
    pub fn keep(&mut self, image: String, digest: String) {
        self.0.insert(image, digest);
    }

    /// Whether no image is followed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digests by image.
    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// What a status tells of the images that an environment follows.
    #[must_use]
    pub fn told(environment: &MLEnvironment) -> Self {
        if rebuild(environment).is_none() {
            return Self::default();
        }
        let known = told(environment).iter().filter(|one| is_digest(&one.digest));
        Self(known.map(|one| (one.image.clone(), one.digest.clone())).collect())
    }
}

/// Whether what tags were found to mean is not used any more: somebody asks, or the interval has passed.
#[must_use]
pub fn are_due(environment: &MLEnvironment, ask: &Ask) -> bool {
    ask.requested.is_some() || again(environment, told(environment)).is_some_and(|at| at <= ask.now)
}

/// When tags are looked up again that a status tells: an interval after the one that was looked up first.
pub(super) fn again(environment: &MLEnvironment, told: &[FollowedImage]) -> Option<Timestamp> {
    let interval = time::duration("rebuild.interval", rebuild(environment)?.interval()).ok()?;
    told.iter().map(|one| one.at.0).min()?.checked_add(interval).ok()
}

/// What status tells of images after a pass: those that were looked up in it have its time.
pub(super) fn status(environment: &MLEnvironment, images: &Images, ask: &Ask) -> Vec<FollowedImage> {
    let before = if are_due(environment, ask) { &[] } else { told(environment) };
    let one = |(image, digest): (&String, &String)| {
        let known = before.iter().find(|one| one.image == *image && one.digest == *digest).cloned();
        known.unwrap_or(FollowedImage { image: image.clone(), digest: digest.clone(), at: Time(ask.now) })
    };
    images.0.iter().map(one).collect()
}

/// `rebuild`, where it is on.
pub(super) fn rebuild(environment: &MLEnvironment) -> Option<&Rebuild> {
    environment.spec.rebuild.as_ref().filter(|rebuild| rebuild.is_on())
}

fn told(environment: &MLEnvironment) -> &[FollowedImage] {
    environment.status.as_ref().map(|status| status.images.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Pace;
    use crate::environment::content_name;
    use azureml_crds::ml_environment::MLEnvironmentStatus;
    use serde_json::{Value, json};

    fn environment(rebuild: &Value, digests: &[(&str, &str)]) -> MLEnvironment {
        let spec =
            json!({"workspaceRef": {"name": "w"}, "build": {"dockerfile": "FROM a:1\n"}, "rebuild": rebuild});
        let mut environment: MLEnvironment =
            serde_json::from_value(json!({"metadata": {"name": "e"}, "spec": spec})).unwrap();
        let one = |(image, digest): &(&str, &str)| FollowedImage {
            image: (*image).into(),
            digest: (*digest).into(),
            at: Time(Timestamp::UNIX_EPOCH),
        };
        let images = digests.iter().map(one).collect();
        environment.status = Some(MLEnvironmentStatus { images, ..MLEnvironmentStatus::default() });
        environment
    }

    fn ask(second: i64, requested: Option<&str>) -> Ask {
        let now = Timestamp::from_second(second).unwrap();
        let requested = requested.map(str::to_owned);
        Ask { now, pace: Pace::default(), requested, is_new_generation: false, may_appear: false }
    }

    #[test]
    fn tags_are_looked_up_again_after_an_interval_and_on_request() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (rebuild, now, requested, expected) in [
            (json!({}), 86_399, None, false),
            (json!({}), 86_400, None, true),
            (json!({}), 1, Some("now"), true),
            (json!({"interval": "10m"}), 600, None, true),
            (json!({"onBaseImageUpdate": true, "interval": "1h"}), 3_599, None, false),
            (json!({"onBaseImageUpdate": false, "interval": "10m"}), 600, None, false),
            (json!(null), 1_000_000, None, false),
        ] {
            let environment = environment(&rebuild, &[("a:1", &digest)]);
            let ask = ask(now, requested);
            assert_eq!(are_due(&environment, &ask), expected, "{rebuild} {now}");
            let images = Images::told(&environment);
            let after = status(&environment, &images, &ask);
            let at = if expected { ask.now } else { Timestamp::UNIX_EPOCH };
            assert!(after.iter().all(|one| one.at.0 == at), "{rebuild} {now}: {after:?}");
            assert_eq!(images.is_empty(), rebuild.is_null() || rebuild["onBaseImageUpdate"] == false);
        }
    }

    #[test]
    fn digests_count_in_the_content_only_where_they_are_followed() {
        let digest = |of: char| format!("sha256:{}", of.to_string().repeat(64));
        let name = |rebuild: &Value, digest: &str| {
            let environment = environment(rebuild, &[("a:1", digest)]);
            content_name(&environment.spec, None, &Images::told(&environment))
        };
        let plain = name(&Value::Null, &digest('0'));
        assert_eq!(plain, name(&json!({"onBaseImageUpdate": false}), &digest('1')));
        assert_eq!(plain, name(&json!({}), "what is no digest is not believed"));
        assert_ne!(plain, name(&json!({}), &digest('0')));
        assert_ne!(name(&json!({}), &digest('1')), name(&json!({}), &digest('0')));
        // How often one looks is no part of it.
        assert_eq!(name(&json!({"interval": "1h"}), &digest('1')), name(&json!({}), &digest('1')));
    }
}
