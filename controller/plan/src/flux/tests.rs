//! Whose artifacts are taken, and which addresses are refused.

use super::*;
use serde_json::{Value, json};

const NAMED: Named<'_> = Named { kind: FluxKind::GitRepository, namespace: "team-a", name: "scripts" };

fn flux(namespace: Option<&str>) -> Flux {
    let flux = json!({"kind": "GitRepository", "name": "scripts", "namespace": namespace});
    serde_json::from_value(flux).unwrap()
}

fn offered(url: &str, digest: &str, conditions: &Value) -> Result<Artifact, Wait> {
    let status = json!({"artifact": {"url": url, "digest": digest, "revision": "main@sha1:0"}, "conditions": conditions});
    artifact(NAMED, &serde_json::from_value(json!({"spec": {}, "status": status})).unwrap())
}

fn digest() -> String {
    format!("sha256:{}", "0a".repeat(32))
}

const URL: &str =
    "http://source-controller.flux-system.svc.cluster.local./gitrepository/team-a/scripts/0a1b.tar.gz";

#[test]
fn a_source_of_another_namespace_needs_a_grant_for_both() {
    let grant = |namespaces: &str, from: &str| FluxGrant {
        namespaces: vec![namespaces.to_owned()],
        from: vec![from.to_owned()],
    };
    let (none, other) = (flux(None), flux(Some("flux-system")));
    assert_eq!(namespace(&none, "team-a", &[]), Ok("team-a"));
    assert_eq!(namespace(&flux(Some("team-a")), "team-a", &[]), Ok("team-a"));
    assert_eq!(namespace(&other, "team-a", &[grant("team-*", "flux-system")]), Ok("flux-system"));
    for grants in [vec![], vec![grant("team-b", "flux-system")], vec![grant("*", "team-a")]] {
        let refused = namespace(&other, "team-a", &grants).unwrap_err();
        assert!(refused.contains("grants: [{namespaces: [team-a], from: [flux-system]}]"), "{refused}");
    }
}

#[test]
fn the_artifact_is_the_one_of_the_status() {
    let found = offered(URL, &digest(), &json!([{"type": "Ready", "status": "True"}])).unwrap();
    assert_eq!((found.url.as_str(), found.sha256.as_str()), (URL, "0a".repeat(32).as_str()));
    // While Flux looks for another one, the last one is in force.
    assert!(offered(URL, &digest(), &json!([{"type": "Ready", "status": "Unknown"}])).is_ok());
    assert!(offered(URL, &digest(), &json!([{"type": "ArtifactInStorage", "status": "False"}])).is_ok());
}

#[test]
fn a_source_that_failed_or_has_nothing_is_waited_for_with_its_own_words() {
    let ready = json!([{"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no such branch"}]);
    let failed = offered(URL, &digest(), &ready).unwrap_err();
    let words = "mend GitRepository scripts, which is not Ready: GitOperationFailed: no such branch";
    assert_eq!((failed.message.as_str(), failed.is_stalled), (words, false));
    for none in [json!({}), json!({"status": {}})] {
        let none = artifact(NAMED, &serde_json::from_value(none).unwrap()).unwrap_err();
        assert!(none.message.starts_with("GitRepository scripts has no artifact yet"), "{none:?}");
        assert!(!none.is_stalled && none.is_unwatched);
    }
}

#[test]
fn a_digest_that_is_not_sha256_is_refused_with_the_flag() {
    for digest in ["", "sha256:0a", "sha512:0a", &digest().replace("0a", "0A")] {
        let refused = offered(URL, digest, &json!([])).unwrap_err();
        assert!(refused.message.contains("--artifact-digest-algo=sha256"), "{digest}");
        assert!(refused.is_stalled);
    }
}

#[test]
fn an_address_leads_to_the_sources_own_folder_and_nowhere_else() {
    let host = "http://source-controller.flux-system.svc.cluster.local";
    for path in [
        "/gitrepository/team-b/scripts/0a.tar.gz",
        "/gitrepository/team-a/scripts",
        "/gitrepository/team-a/scripts/",
        "/gitrepository/team-a/scripts/../../team-b/scripts/0a.tar.gz",
        "/gitrepository/team-a/scripts/..%2f..%2fteam-b/0a.tar.gz",
        "/gitrepository/team-a/scripts/%2e%2e%2f0a",
        "/gitrepository/team-a/scripts/..\\..\\team-b\\0a",
        "/gitrepository/team-a/scripts/more/0a.tar.gz",
        "/gitrepository/team-a/scripts/0a.tar.gz?x=/metrics",
        "/gitrepository/team-a/scripts/0a.tar.gz#x",
        "/ocirepository/team-a/scripts/0a.tar.gz",
        "/metadata/identity/oauth2/token",
    ] {
        let refused = offered(&format!("{host}{path}"), &digest(), &json!([])).unwrap_err();
        assert!(refused.message.contains("http://<host>/gitrepository/team-a/scripts/<file>"), "{path}");
    }
    for url in ["file:///gitrepository/team-a/scripts/a", "", "http://me:pw@h/gitrepository/team-a/scripts/a"]
    {
        assert!(offered(url, &digest(), &json!([])).is_err(), "{url}");
    }
}

#[test]
fn the_server_is_one_that_the_platform_team_names_and_a_namespace_with_hosts_has_these_alone() {
    let at = |url: &str| offered(url, &digest(), &json!([])).unwrap();
    let flux = FluxConfig::default();
    let hosts =
        |host: &str| vec![HostGrant { namespaces: vec!["team-a".into()], hosts: vec![host.to_owned()] }];
    let path = "/gitrepository/team-a/scripts/0a.tar.gz";
    assert_eq!(reach(&flux, &[], "team-a", &at(URL)), Ok(()));
    for host in ["169.254.169.254", "source-controller.flux-system.svc.cluster.local:8080", "evil.example"] {
        let refused = reach(&flux, &[], "team-a", &at(&format!("http://{host}{path}"))).unwrap_err();
        assert!(refused.contains(&format!("sources: {{flux: {{hosts: [{host}]}}}}")), "{refused}");
    }
    let refused = reach(&flux, &hosts("github.com"), "team-a", &at(URL)).unwrap_err();
    assert!(refused.contains("sources: {hosts: [{namespaces: [team-a]"), "{refused}");
    assert_eq!(reach(&flux, &hosts("github.com"), "team-b", &at(URL)), Ok(()));
    let own = at(&format!("http://flux.team-a:9090{path}"));
    assert_eq!(reach(&flux, &hosts("flux.team-a:9090"), "team-a", &own), Ok(()));
}
