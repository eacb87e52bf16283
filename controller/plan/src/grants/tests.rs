//! Grants, asked in every way.

use super::*;
use crate::reasons::Reason;

fn asker(namespace: &str, client: Option<&str>, cloud: &str) -> Asker {
    Asker {
        namespace: namespace.into(),
        client: client.map(str::to_owned),
        cloud: cloud.into(),
        is_default_cloud: cloud == "AzurePublic",
    }
}

fn workspace(group: &str) -> ArmId {
    ArmId::workspace("s", group, "w")
}

fn id(rest: &str) -> ArmId {
    ArmId::parse(&format!("/subscriptions/s/resourceGroups/g/providers/{rest}")).unwrap()
}

fn grants(text: &str) -> Vec<Grant> {
    serde_json::from_str(text).unwrap()
}

fn may(all: &[Grant], asker: Asker, group: &str) -> bool {
    Rights::granted(all, asker, workspace(group)).is_ok()
}

#[test]
fn a_grant_is_for_what_it_names() {
    assert!(!may(&[], asker("n", None, "AzurePublic"), "rg-ml"), "nothing is granted by default");
    let all =
        grants(r#"[{"namespaces": ["team-*"], "resourceGroups": ["rg-ml"], "registries": ["shared"]}]"#);
    assert!(may(&all, asker("team-a", None, "AzurePublic"), "RG-ml"));
    assert!(!may(&all, asker("team-a", None, "AzurePublic"), "other"));
    assert!(!may(&all, asker("other", None, "AzurePublic"), "rg-ml"));
    assert!(!may(&all, asker("team-a", Some("client"), "AzurePublic"), "rg-ml"));
    let rights = Rights::granted(&all, asker("team-a", None, "AzurePublic"), workspace("rg-ml")).unwrap();
    let registry =
        |name: &str| rights.registry(&id(&format!("Microsoft.ContainerRegistry/registries/{name}")));
    assert!(registry("shared").is_ok());
    let refused = registry("private").unwrap_err();
    assert_eq!(refused.reason, Reason::REGISTRY_NOT_GRANTED);
    assert!(
        refused.message.contains("namespaces: [team-a]") && refused.message.contains("registries: [/sub")
    );
}

#[test]
fn identities_subnets_and_other_clouds_are_granted_by_name_only() {
    let all = grants(
        r#"[{"namespaces": ["n"]}, {"namespaces": ["n"], "clients": ["c"], "clouds": ["AzureChina"]},
        {"namespaces": ["n"], "clouds": ["AzureChina"]}]"#,
    );
    let (public, china) = ("AzurePublic", "AzureChina");
    assert!(may(&all, asker("n", Some("c"), china), "g"));
    assert!(!may(&all, asker("n", Some("c"), public), "g"), "the client is granted in China");
    assert!(!may(&all, asker("n", None, china), "g"), "the controller's own identity is of one cloud");
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities/i");
    let subnet = id("Microsoft.Network/virtualNetworks/v/subnets/s");
    let rights = Rights::granted(&all, asker("n", None, public), workspace("g")).unwrap();
    assert_eq!(rights.identity(&identity).unwrap_err().reason, Reason::IDENTITY_NOT_GRANTED);
    assert_eq!(rights.subnet(&subnet).unwrap_err().reason, Reason::SUBNET_NOT_GRANTED);
    assert!(Rights::Own.identity(&identity).is_ok() && Rights::Own.subnet(&subnet).is_ok());
    let all = grants(
        r#"[{"namespaces": ["n"], "workspaces": ["w"], "identities": ["*/userAssignedIdentities/i"], "subnets": ["*/virtualNetworks/v/*"]}]"#,
    );
    let rights = Rights::granted(&all, asker("n", None, public), workspace("g")).unwrap();
    assert!(rights.identity(&identity).is_ok() && rights.subnet(&subnet).is_ok());
}

#[test]
fn an_address_of_another_workspace_needs_its_grant_in_whatever_form() {
    let all = grants(r#"[{"namespaces": ["n"], "workspaces": ["w"]}]"#);
    let rights = Rights::granted(&all, asker("n", None, "AzurePublic"), workspace("g")).unwrap();
    let ml = "providers/Microsoft.MachineLearningServices";
    for (address, expected) in [
        (format!("/subscriptions/s/resourceGroups/g/{ml}/workspaces/w/data/d/versions/1"), true),
        (format!("/subscriptions/s/resourceGroups/g/{ml}/workspaces/other/data/d/versions/1"), false),
        (format!("azureml:/subscriptions/s/resourceGroups/g/{ml}/workspaces/w/data/d/versions/1"), true),
        (format!("azureml:/subscriptions/s/resourceGroups/g/{ml}/workspaces/other/data/d/versions/1"), false),
        (
            format!(
                "AzureML:/Subscriptions/s/resourceGroups/g/{ml}/workspaces/other/components/c/versions/1"
            ),
            false,
        ),
        (format!("/subscriptions/s//resourceGroups/g/{ml}/workspaces/other/data/d"), false),
        ("/subscriptions/s/resourceGroups/g/providers/X/workspaces/w/a/b".to_owned(), false),
        (format!("/subscriptions/s/resourceGroups/g/{ml}/registries/r/environments/e/versions/1"), true),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/x".to_owned(),
            false,
        ),
        ("AzureML://Subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x".to_owned(), true),
        ("azureml://locations/westeurope/workspaces/0a1b/data/d/versions/1".to_owned(), false),
        ("azureml://datastores/d/paths/x".to_owned(), true),
        ("azureml://registries/r/environments/e/versions/1".to_owned(), true),
        ("https://account.blob.core.windows.net/c/x".to_owned(), true),
    ] {
        let asked = rights.address("inputs.raw", &address);
        assert_eq!(asked.is_ok(), expected, "{address}");
        assert!(Rights::Own.address("inputs.raw", &address).is_ok());
    }
}

#[test]
fn a_registry_that_no_grant_names_is_one_of_the_grants_groups() {
    let all = grants(r#"[{"namespaces": ["n"], "subscriptions": ["s"], "resourceGroups": ["g"]}]"#);
    let rights = Rights::granted(&all, asker("n", None, "AzurePublic"), workspace("g")).unwrap();
    let own = id("Microsoft.ContainerRegistry/registries/own");
    assert!(rights.registry(&own).is_ok());
    for other in ["/subscriptions/t/resourceGroups/g", "/subscriptions/s/resourceGroups/other"] {
        let other = format!("{other}/providers/Microsoft.ContainerRegistry/registries/own");
        let refused = rights.registry(&ArmId::parse(&other).unwrap()).unwrap_err();
        assert!(refused.message.contains("registries: [/subscriptions/"), "{}", refused.message);
    }
}

#[test]
fn an_agent_pool_is_granted_by_its_name_and_none_by_default() {
    let rights = |more: &str| {
        let all = grants(&format!(r#"[{{"namespaces": ["n"]{more}}}]"#));
        Rights::granted(&all, asker("n", None, "AzurePublic"), workspace("g")).unwrap()
    };
    assert_eq!(rights("").agent_pool("closed").unwrap_err().reason, Reason::AGENT_POOL_NOT_GRANTED);
    assert!(rights(r#", "agentPools": ["closed"]"#).agent_pool("closed").is_ok());
    assert!(rights(r#", "agentPools": ["closed"]"#).agent_pool("other").is_err());
    assert!(Rights::Own.agent_pool("closed").is_ok());
}
