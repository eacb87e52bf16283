//! What a control plane does, shown on real ones.
use crate::support;

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use azureml_control_plane::{ControlPlane, Guarded, Options, crds};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use support::{crate_file, output};

/// The longest that any condition is waited for.
const DEADLINE: Duration = Duration::from_mins(4);

/// Waits for a future, and fails the test when it takes longer than that.
async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it takes longer than four minutes")
}

/// Waits until a condition that nothing announces is true.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    within(async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn lines(output: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(output).lines().map_while(Result::ok)
}

fn kind() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("test.azureml.dev", "v1", "Trial"))
}

/// The objects of the kind in `tests/crds`, in the default namespace.
async fn trials(plane: &ControlPlane) -> Api<DynamicObject> {
    Api::default_namespaced_with(plane.client().await.unwrap(), &kind())
}

/// One of them.
fn trial(name: &str, trees: i32) -> DynamicObject {
    DynamicObject::new(name, &kind()).data(json!({"spec": {"trees": trees}}))
}

#[tokio::test]
async fn it_is_ready_and_rejects_what_a_rule_of_a_crd_rejects() {
    let crds = crds::read(crate_file("tests/crds")).unwrap();
    // Warm: programs and their pages are there.
    drop(ControlPlane::start(Options { crds: crds.clone(), ..Options::default() }).await.unwrap());
    let started = Instant::now();
    let mut plane = ControlPlane::start(Options { crds, ..Options::default() }).await.unwrap();
    eprintln!("a warm start took {:?}", started.elapsed());

    let trials = trials(&plane).await;
    trials.create(&PostParams::default(), &trial("good", 3)).await.unwrap();
    let refused = trials.create(&PostParams::default(), &trial("bad", 11)).await.unwrap_err();
    assert!(refused.to_string().contains("give at most 10 trees"), "{refused}");
    plane.check().unwrap();
}

#[tokio::test]
async fn a_deleted_namespace_goes_with_what_is_in_it_and_owned_objects_go_with_their_owner() {
    let crds = crds::read(crate_file("tests/crds")).unwrap();
    let plane = ControlPlane::start(Options { crds, ..Options::default() }).await.unwrap();
    assert!(plane.has_controller_manager(), "the programs at hand include no controller manager");
    let client = plane.client().await.unwrap();

    let trial = trials(&plane).await.create(&PostParams::default(), &trial("owner", 1)).await.unwrap();
    let owned = json!({
        "metadata": {"name": "owned", "ownerReferences": [{
            "apiVersion": "test.azureml.dev/v1", "kind": "Trial", "name": "owner", "uid": trial.uid().unwrap(),
        }]},
    });
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let owned = maps.create(&PostParams::default(), &serde_json::from_value(owned).unwrap()).await.unwrap();
    trials(&plane).await.delete("owner", &DeleteParams::default()).await.unwrap();
    within(await_condition(maps, "owned", conditions::is_deleted(&owned.uid().unwrap()))).await.unwrap();

    let namespaces: Api<Namespace> = Api::all(client);
    let named = serde_json::from_value(json!({"metadata": {"name": "team-a"}})).unwrap();
    let namespace = namespaces.create(&PostParams::default(), &named).await.unwrap();
    namespaces.delete("team-a", &DeleteParams::default()).await.unwrap();
    let uid = namespace.uid().unwrap();
    within(await_condition(namespaces, "team-a", conditions::is_deleted(&uid))).await.unwrap();
}

#[tokio::test]
async fn two_run_side_by_side_and_know_nothing_of_each_other() {
    let (one, other) =
        tokio::join!(ControlPlane::start(Options::default()), ControlPlane::start(Options::default()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.endpoint(), other.endpoint());
    let maps = |client| Api::<ConfigMap>::namespaced(client, "default");
    let map = serde_json::from_value(json!({"metadata": {"name": "only-here"}})).unwrap();
    maps(one.client().await.unwrap()).create(&PostParams::default(), &map).await.unwrap();
    assert!(maps(other.client().await.unwrap()).get_opt("only-here").await.unwrap().is_none());
    let stranger = output(other.kubectl().args(["--server", one.endpoint(), "get", "namespaces"]));
    assert!(stranger.is_err_and(|said| said.contains("certificate signed by unknown authority")));
}

#[tokio::test]
async fn identities_have_exactly_the_rights_they_are_given() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let rule = |verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["configmaps".into()]),
        verbs: verbs.iter().map(ToString::to_string).collect(),
        ..PolicyRule::default()
    };
    let account = plane.service_account("default", "reader").await.unwrap();
    let user = plane.user("system:somebody", &["team-a"]).unwrap();
    for identity in [&account, &user] {
        let client = plane.client_of(&identity.kubeconfig).await.unwrap();
        let maps: Api<ConfigMap> = Api::namespaced(client, "default");
        let refused = maps.list(&ListParams::default()).await.unwrap_err();
        assert!(refused.to_string().contains("is forbidden"), "{refused}");
        plane.grant(identity, Some("default"), vec![rule(&["list"])]).await.unwrap();
        until(async || maps.list(&ListParams::default()).await.is_ok()).await;
        assert!(maps.get("kube-root-ca.crt").await.is_err(), "get was not granted");
    }
    plane.grant(&user, None, vec![rule(&["get", "list"])]).await.unwrap();
    let elsewhere: Api<ConfigMap> =
        Api::namespaced(plane.client_of(&user.kubeconfig).await.unwrap(), "kube-system");
    until(async || elsewhere.list(&ListParams::default()).await.is_ok()).await;
}

#[tokio::test]
async fn an_older_release_can_be_emulated() {
    let options = Options { emulated_version: Some("1.33".into()), ..Options::default() };
    let plane = ControlPlane::start(options).await.unwrap();
    let version = output(plane.kubectl().args(["get", "--raw", "/version"])).unwrap();
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!((&version["emulationMajor"], &version["emulationMinor"]), (&json!("1"), &json!("33")));
}

#[tokio::test]
async fn a_taken_port_is_replaced_by_a_free_one() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let plane = ControlPlane::start(Options { port: Some(port), ..Options::default() }).await.unwrap();
    assert_ne!(plane.endpoint(), format!("https://127.0.0.1:{port}"));
    assert!(output(plane.kubectl().args(["get", "--raw", "/readyz"])).is_ok());
}

#[tokio::test]
async fn a_start_that_fails_shows_the_end_of_the_log_and_keeps_it() {
    let options = Options { api_server_arguments: vec!["--no-such-flag".into()], ..Options::default() };
    let error = ControlPlane::start(options).await.unwrap_err();
    let azureml_control_plane::Error::Ended { part, log, tail, .. } = &error else { panic!("{error}") };
    assert_eq!(*part, "kube-apiserver");
    assert!(tail.contains("unknown flag: --no-such-flag"), "{tail}");
    assert!(log.is_file(), "{} is gone", log.display());
    std::fs::remove_dir_all(log.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn kubectl_and_helm_are_real_and_speak_to_it() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let namespaces = output(plane.kubectl().args(["get", "namespaces", "--output=name"])).unwrap();
    assert!(namespaces.contains("namespace/kube-system"), "{namespaces}");
    let version = output(plane.helm().unwrap().args(["version", "--short"])).unwrap();
    assert!(version.starts_with("v4."), "{version}");
    let releases = output(plane.helm().unwrap().args(["list", "--output=json"])).unwrap();
    assert_eq!(releases.trim(), "[]");
}

#[tokio::test]
async fn its_folder_goes_with_it() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let state = plane.state().to_owned();
    assert!(state.join("kube-apiserver.log").is_file());
    drop(plane);
    assert!(!state.exists(), "{} is still there", state.display());
}

#[test]
fn given_programs_are_used_and_a_missing_controller_manager_is_said() {
    let program = || Command::new(env!("CARGO_BIN_EXE_control-plane"));
    let found: serde_json::Value = serde_json::from_str(&output(program().arg("--build")).unwrap()).unwrap();
    let assets = tempfile::tempdir().unwrap();
    for (name, key) in [("etcd", "etcd"), ("kube-apiserver", "kubeApiserver"), ("kubectl", "kubectl")] {
        std::os::unix::fs::symlink(found[key].as_str().unwrap(), assets.path().join(name)).unwrap();
    }
    let mut program = program();
    let command = program.env("KUBEBUILDER_ASSETS", assets.path());
    let mut started = Guarded::spawn(command, Stdio::piped(), Stdio::piped()).unwrap();
    let said = lines(started.stdout().unwrap()).next().unwrap();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let kubectl = said["kubectl"].as_str().unwrap();
    assert_eq!(Path::new(kubectl), assets.path().join("kubectl"));
    let mut kubectl = Command::new(kubectl);
    assert_eq!(
        output(
            kubectl.args(["get", "--raw=/readyz", "--kubeconfig"]).arg(said["kubeconfig"].as_str().unwrap())
        ),
        Ok("ok".into())
    );
    let warning = lines(started.stderr().unwrap()).next().unwrap();
    assert!(warning.contains("holds no kube-controller-manager"), "{warning}");
    started.signal("TERM");
    assert!(started.wait().unwrap().success());
}

#[test]
fn crds_are_read_from_a_file_or_a_folder_and_nothing_else_is() {
    let names = |path: &str| -> Vec<_> {
        crds::read(crate_file(path)).unwrap().iter().map(kube::ResourceExt::name_any).collect()
    };
    assert_eq!(names("tests/crds"), names("tests/crds/trial.yaml"));
    let error = crds::read(crate_file("Cargo.toml")).unwrap_err().to_string();
    assert!(error.contains("Cargo.toml"), "{error}");
}
