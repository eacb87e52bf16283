//! What the tags mean that an environment follows, and when they are looked up again.
//!
//! In: a spec, a status, now. Out: digests, a moment. Looks nothing up.

use super::state::is_open;
use crate::context::Ask;
use crate::reasons::Reason;
use crate::time;
use azureml_client::image::is_digest;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{FollowedImage, MLEnvironmentStatus, Rebuild};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Nothing is looked up sooner after a look, whatever came of it: the shortest interval.
const SOONEST: SignedDuration = SignedDuration::from_mins(10);

/// What a tag was found to mean, and when: none for this pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    digest: String,
    at: Option<Timestamp>,
}

/// Digests of images by their names as they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images(BTreeMap<String, Found>);

impl Images {
    /// What an image was found to be.
    #[must_use]
    pub fn found(&self, image: &str) -> Option<&Found> {
        self.0.get(image)
    }

    /// The digest of an image.
    #[must_use]
    pub fn get(&self, image: &str) -> Option<&str> {
        self.found(image).map(|found| found.digest.as_str())
    }

    /// Keeps the digest of an image that was looked up just now.
    pub fn keep(&mut self, image: String, digest: String) {
        self.0.insert(image, Found { digest, at: None });
    }

    /// Keeps what was found before.
    pub fn hold(&mut self, image: String, found: Found) {
        self.0.insert(image, found);
    }

    /// Whether no image is followed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digests by image.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(image, found)| (image.clone(), found.digest.clone())).collect()
    }

    /// What a status tells of the images that an environment follows.
    #[must_use]
    pub fn told(environment: &MLEnvironment) -> Self {
        Self::of(environment, |one| Some(&one.digest))
    }

    /// The images on which the version in force stands.
    #[must_use]
    pub fn in_force(environment: &MLEnvironment) -> Self {
        Self::of(environment, |one| one.in_force.as_ref())
    }

    fn of(environment: &MLEnvironment, digest: impl Fn(&FollowedImage) -> Option<&String>) -> Self {
        if environment.spec.rebuild.is_none() {
            return Self::default();
        }
        let known = told(environment).iter().filter_map(|one| {
            let digest = digest(one).filter(|digest| is_digest(digest))?.clone();
            Some((one.image.clone(), Found { digest, at: Some(one.at.0) }))
        });
        Self(known.collect())
    }
}

/// Whether tags are looked up at all: `onBaseImageUpdate: false` stays with what was found.
#[must_use]
pub fn is_followed(environment: &MLEnvironment) -> bool {
    environment.spec.rebuild.as_ref().is_some_and(Rebuild::is_on)
}

/// Whether tags are looked up again: somebody asks, one was not there, or the interval has passed and nothing is being built. A base that
/// moves faster than its build takes would never be built else.
#[must_use]
pub fn are_due(environment: &MLEnvironment, ask: &Ask) -> bool {
    let status = environment.status.as_ref();
    let is_building =
        status.and_then(|status| status.build.as_ref()).is_some_and(|build| is_open(&build.state));
    let has_passed = next(environment, told(environment)).is_some_and(|at| at <= ask.now);
    is_followed(environment) && (ask.requested.is_some() || was_missing(status) || has_passed && !is_building)
}

/// A request that could not be fulfilled is not forgotten: what a tag meant before is not what it means now.
fn was_missing(status: Option<&MLEnvironmentStatus>) -> bool {
    let failure = status.and_then(|status| status.common.last_failure.as_ref());
    failure.is_some_and(|failure| failure.reason == Reason::IMAGE_NOT_FOUND.word())
}

/// When there is a pass to look tags up again that a status tells.
pub(super) fn again(environment: &MLEnvironment, told: &[FollowedImage], ask: &Ask) -> Option<Timestamp> {
    let soonest = ask.now.checked_add(SOONEST).ok()?;
    next(environment, told).map(|at| at.max(soonest))
}

/// An interval after the look that is the oldest.
fn next(environment: &MLEnvironment, told: &[FollowedImage]) -> Option<Timestamp> {
    let rebuild = environment.spec.rebuild.as_ref().filter(|rebuild| rebuild.is_on())?;
    let interval = time::duration("rebuild.interval", rebuild.interval()).ok()?;
    told.iter().map(|one| one.at.0).min()?.checked_add(interval).ok()
}

/// What status tells of images after a pass; `is_in_force` where the version in force stands on them.
pub(super) fn status(
    environment: &MLEnvironment,
    images: &Images,
    ask: &Ask,
    is_in_force: bool,
) -> Vec<FollowedImage> {
    let before = |image: &String| told(environment).iter().find(|one| one.image == *image);
    let one = |(image, Found { digest, at }): (&String, &Found)| FollowedImage {
        image: image.clone(),
        digest: digest.clone(),
        at: Time(at.unwrap_or(ask.now)),
        in_force: if is_in_force {
            Some(digest.clone())
        } else {
            before(image).and_then(|one| one.in_force.clone())
        },
    };
    images.0.iter().map(one).collect()
}

fn told(environment: &MLEnvironment) -> &[FollowedImage] {
    environment.status.as_ref().map(|status| status.images.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Pace;
    use crate::environment::content_name;
    use azureml_crds::ml_environment::BuildStatus;
    use azureml_crds::shared::LastFailure;
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
            in_force: None,
        };
        let images = digests.iter().map(one).collect();
        environment.status = Some(MLEnvironmentStatus { images, ..MLEnvironmentStatus::default() });
        environment
    }

    fn digest(of: char) -> String {
        format!("sha256:{}", of.to_string().repeat(64))
    }

    fn ask(second: i64, requested: Option<&str>) -> Ask {
        let now = Timestamp::from_second(second).unwrap();
        let requested = requested.map(str::to_owned);
        Ask { now, pace: Pace::default(), requested, is_new_generation: false, may_appear: false }
    }

    #[test]
    fn tags_are_looked_up_again_after_an_interval_and_on_request() {
        for (rebuild, now, requested, expected) in [
            (json!({}), 86_399, None, false),
            (json!({}), 86_400, None, true),
            (json!({}), 1, Some("now"), true),
            (json!({"interval": "10m"}), 600, None, true),
            (json!({"onBaseImageUpdate": true, "interval": "1h"}), 3_599, None, false),
            (json!({"onBaseImageUpdate": false, "interval": "10m"}), 600, Some("now"), false),
            (json!(null), 1_000_000, Some("now"), false),
        ] {
            let environment = environment(&rebuild, &[("a:1", &digest('0'))]);
            assert_eq!(are_due(&environment, &ask(now, requested)), expected, "{rebuild} {now}");
            assert_eq!(Images::told(&environment).is_empty(), rebuild.is_null());
        }
    }

    #[test]
    fn a_build_that_goes_on_is_waited_for_and_a_tag_that_was_missing_is_not_believed_to_be_there() {
        let mut environment = environment(&json!({"interval": "10m"}), &[("a:1", &digest('0'))]);
        let status = environment.status.as_mut().unwrap();
        status.build = Some(BuildStatus { state: "Running".into(), ..BuildStatus::default() });
        assert!(!are_due(&environment, &ask(600, None)) && are_due(&environment, &ask(600, Some("now"))));
        let soonest = again(&environment, told(&environment), &ask(600, None));
        assert_eq!(soonest, Some(Timestamp::from_second(1200).unwrap()), "there is no pass at once");
        let (reason, at) = (Reason::IMAGE_NOT_FOUND.word().to_owned(), Time(Timestamp::UNIX_EPOCH));
        let failure = LastFailure { reason, at, count: 1, stalled: false };
        environment.status.as_mut().unwrap().common.last_failure = Some(failure);
        assert!(are_due(&environment, &ask(1, None)));
    }

    #[test]
    fn status_has_the_time_of_each_look_and_what_the_version_in_force_stands_on() {
        let mut environment = environment(&json!({}), &[("a:1", &digest('0')), ("b:1", &digest('1'))]);
        let mut images = Images::told(&environment);
        images.keep("b:1".into(), digest('2'));
        let looked_up = status(&environment, &images, &ask(9, None), false);
        let times: Vec<i64> = looked_up.iter().map(|one| one.at.0.as_second()).collect();
        assert_eq!(times, [0, 9]);
        assert!(looked_up.iter().all(|one| one.in_force.is_none()));
        environment.status.as_mut().unwrap().images = status(&environment, &images, &ask(9, None), true);
        images.keep("b:1".into(), digest('3'));
        environment.status.as_mut().unwrap().images = status(&environment, &images, &ask(99, None), false);
        assert_eq!(Images::in_force(&environment).get("b:1"), Some(digest('2').as_str()));
        assert_eq!(Images::told(&environment).get("b:1"), Some(digest('3').as_str()));
    }

    #[test]
    fn digests_count_in_the_content_only_where_there_are_any() {
        let name = |rebuild: &Value, digest: &str| {
            let environment = environment(rebuild, &[("a:1", digest)]);
            content_name(&environment.spec, None, &Images::told(&environment))
        };
        let plain = name(&Value::Null, &digest('0'));
        assert_eq!(plain, name(&json!({}), "what is no digest is not believed"));
        assert_ne!(plain, name(&json!({}), &digest('0')));
        assert_ne!(name(&json!({}), &digest('1')), name(&json!({}), &digest('0')));
        // How often one looks, and whether, is no part of it.
        assert_eq!(name(&json!({"interval": "1h"}), &digest('1')), name(&json!({}), &digest('1')));
        assert_eq!(name(&json!({"onBaseImageUpdate": false}), &digest('1')), name(&json!({}), &digest('1')));
    }
}
