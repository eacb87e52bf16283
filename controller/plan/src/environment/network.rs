//! Whether a registry's network rules keep its own builds out: said before a build is started, which would fail after minutes.
//!
//! In: the registry as Azure shows it, the build. Out: a verdict with the way out. Source: "Manage network bypass policy for
//! tasks" (Azure Container Registry): since June 2025 tasks pass the rules only where the registry says so.

use super::wanted::{Source, Wanted};
use crate::action::Verdict;
use crate::reasons::Reason;
use serde_json::Value;

/// Why a build cannot reach the registry; `None` where it can, or where the registry does not say.
pub(super) fn restricted(wanted: &Wanted, registry: Option<&Value>) -> Option<Verdict> {
    let Source::Built { body, .. } = &wanted.source else { return None };
    let registry = registry?;
    let properties = &registry["properties"];
    let is_closed = properties["publicNetworkAccess"] == "Disabled";
    let has_rules = is_closed || properties["networkRuleSet"]["defaultAction"] == "Deny";
    // Versions before 2025 do not have the key; there the build itself tells.
    let may_pass = properties["networkRuleBypassAllowedForTasks"].as_bool().unwrap_or(!is_closed);
    let has_pool = body["properties"]["runRequest"]["agentPoolName"].is_string();
    if !has_rules || may_pass || has_pool {
        return None;
    }
    let name = registry["name"].as_str().unwrap_or("of the workspace");
    let message = format!(
        "the network rules of the registry {name} keep its own builds out; name an agent pool of the registry in \
         builder.acr.agentPool, or set networkRuleBypassAllowedForTasks of the registry to true"
    );
    Some(Verdict::stalled(Reason::REGISTRY_NETWORK_RESTRICTED, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_client::ArmId;
    use azureml_client::image::ImageRef;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn wanted(request: &Value) -> Wanted {
        let workspace = ArmId::workspace("s", "g", "w");
        let source = Source::Built {
            task_run: workspace.child("taskRuns", "t"),
            image: ImageRef::parse("r.azurecr.io/a:1").unwrap(),
            body: json!({"properties": {"runRequest": request}}),
            files: BTreeMap::new(),
            context: None,
        };
        Wanted { id: workspace.child("environments", "e"), content: "h".into(), source }
    }

    #[test]
    fn a_build_that_cannot_reach_its_registry_is_told_before_it_starts() {
        let (agent, pool) = (json!({}), json!({"agentPoolName": "p"}));
        let rules = |action: &str, bypass: Value| {
            json!({"name": "r", "properties": {"publicNetworkAccess": "Enabled",
                "networkRuleSet": {"defaultAction": action}, "networkRuleBypassAllowedForTasks": bypass}})
        };
        let closed = json!({"name": "r", "properties": {"publicNetworkAccess": "Disabled"}});
        let cases = [
            (&agent, rules("Deny", json!(false)), true),
            (&agent, rules("Deny", json!(true)), false),
            (&agent, rules("Deny", Value::Null), false),
            (&agent, rules("Allow", json!(false)), false),
            (&agent, closed.clone(), true),
            (&pool, rules("Deny", json!(false)), false),
            (&pool, closed, false),
            (&agent, json!({"properties": {}}), false),
        ];
        for (request, registry, is_told) in cases {
            let told = restricted(&wanted(request), Some(&registry));
            assert_eq!(told.is_some(), is_told, "{request} {registry}");
            assert!(told.is_none_or(|verdict| verdict.message.contains("builder.acr.agentPool")));
        }
        assert_eq!(restricted(&wanted(&agent), None), None);
    }
}
