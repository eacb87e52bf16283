//! A request that would be sent, and what it means for people.
//!
//! In: method, path, body, what is there now. Out: what it does, where the resource changes, and what that costs. Pure.

use azureml_plan::diff::differences;
use serde::Serialize;
use serde_json::Value;

/// A request that would be sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, as it would be sent.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The body; null where there is none.
    pub body: Value,
    /// What is there now.
    #[serde(skip)]
    pub before: Option<Value>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Does {
    /// Makes a resource.
    Create,
    /// Changes a resource.
    Change,
    /// Builds an image.
    Build,
    /// Registers files; they are uploaded before.
    Upload,
    /// Starts a job.
    Start,
    /// Archives a version.
    Archive,
    /// Cancels a job.
    Cancel,
    /// Deletes a resource.
    Delete,
}

impl Does {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Build => "build",
            Self::Upload => "upload",
            Self::Start => "start",
            Self::Archive => "archive",
            Self::Cancel => "cancel",
            Self::Delete => "delete",
        }
    }
}

/// Where a resource changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// Keys joined by dots.
    pub field: String,
    /// What is there now; null where there is nothing.
    pub from: Value,
    /// What would be there.
    pub to: Value,
}

impl Request {
    /// What it does.
    #[must_use]
    pub fn does(&self) -> Does {
        let is_below = |part: &str| self.path.to_ascii_lowercase().contains(part);
        if self.method == "DELETE" {
            return Does::Delete;
        }
        if self.method == "POST" {
            return Does::Cancel;
        }
        if self.body["properties"]["isArchived"] == true {
            return Does::Archive;
        }
        if is_below("/taskruns/") {
            return Does::Build;
        }
        if self.before.is_some() {
            return Does::Change;
        }
        match () {
            () if is_below("/codes/") => Does::Upload,
            () if is_below("/jobs/") => Does::Start,
            () => Does::Create,
        }
    }

    /// The type of the resource below the workspace or the registry, such as `computes` or `components/versions`, and its name.
    #[must_use]
    pub fn resource(&self) -> (String, String) {
        let parts: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        let from = parts
            .iter()
            .position(|part| ["workspaces", "registries"].contains(&part.to_ascii_lowercase().as_str()));
        let below = parts.get(from.map_or(0, |from| from + 2)..).unwrap_or_default();
        let every_other =
            |first: usize| below.iter().skip(first).step_by(2).copied().collect::<Vec<_>>().join("/");
        (every_other(0), every_other(1))
    }

    /// Where the resource changes: every field of what is new, and of what is there those that would differ.
    #[must_use]
    pub fn changed(&self) -> Vec<Changed> {
        let have = self.before.clone().unwrap_or_default();
        let all = differences(&self.body, &have).into_iter();
        all.map(|one| Changed { field: one.path, from: one.have, to: one.want }).collect()
    }

    /// What would cost more than now.
    #[must_use]
    pub fn cost(&self) -> Vec<String> {
        if !self.path.to_ascii_lowercase().contains("/computes/") {
            return Vec::new();
        }
        let mut found = Vec::new();
        for Changed { field, from, to } in self.changed() {
            let name = field.rsplit('.').next().unwrap_or_default();
            let (less, more) = (from.as_i64().unwrap_or(0), to.as_i64().unwrap_or(0));
            match name {
                "minNodeCount" if more > less => {
                    found.push(format!("{more} nodes run all the time, also when nothing runs on them"));
                }
                "maxNodeCount" if more > less && !from.is_null() => {
                    found.push(format!("up to {more} nodes instead of {less}"));
                }
                "vmSize" if !from.is_null() => {
                    found.push(format!("nodes of another size: {to} instead of {from}"));
                }
                "vmPriority" if to == "Dedicated" && !from.is_null() => {
                    found.push("dedicated nodes instead of low priority".to_owned());
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(path: &str, body: Value, before: Option<Value>) -> Request {
        let path = format!("/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/{path}");
        Request { method: "PUT".to_owned(), path, query: None, body, before }
    }

    #[test]
    fn a_request_says_what_it_does() {
        let none = || json!({"properties": {}});
        for (request, does) in [
            (put("computes/cpu", none(), None), Does::Create),
            (put("computes/cpu", none(), Some(none())), Does::Change),
            (put("codes/c/versions/1", none(), None), Does::Upload),
            (put("taskRuns/t", none(), Some(none())), Does::Build),
            (put("jobs/j", none(), None), Does::Start),
            (
                put("environments/e/versions/1", json!({"properties": {"isArchived": true}}), Some(none())),
                Does::Archive,
            ),
            (Request { method: "DELETE".into(), ..put("schedules/s", Value::Null, None) }, Does::Delete),
            (Request { method: "POST".into(), ..put("jobs/j/cancel", Value::Null, None) }, Does::Cancel),
        ] {
            assert_eq!(request.does(), does, "{}", request.path);
        }
        assert_eq!(
            put("components/a/versions/1", none(), None).resource(),
            ("components/versions".to_owned(), "a/1".to_owned())
        );
    }

    #[test]
    fn what_costs_more_is_said_and_what_costs_less_is_not() {
        let cluster = |size: &str, least: i64, most: i64, priority: &str| {
            json!({"properties": {"properties": {"vmSize": size, "vmPriority": priority,
                "scaleSettings": {"minNodeCount": least, "maxNodeCount": most}}}})
        };
        let before = cluster("STANDARD_D2", 0, 4, "LowPriority");
        let dearer = put("computes/c", cluster("STANDARD_NC6", 1, 8, "Dedicated"), Some(before.clone()));
        assert_eq!(dearer.cost().len(), 4, "{:?}", dearer.cost());
        let cheaper = put("computes/c", before.clone(), Some(cluster("STANDARD_D2", 1, 8, "Dedicated")));
        assert_eq!(cheaper.cost(), [""; 0]);
        assert_eq!(put("computes/c", cluster("STANDARD_D2", 2, 4, "Dedicated"), None).cost().len(), 1);
        assert_eq!(put("schedules/c", before, None).cost(), [""; 0]);
    }
}
