//! Identities with their own kubeconfigs and exactly the rights they are given.

use std::path::PathBuf;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::error::{Error, Result};
use crate::kubeconfig;

const API_GROUP: &str = "rbac.authorization.k8s.io";
const HOUR: i64 = 3600;

/// Somebody who can reach the API server, without any rights at first.
#[derive(Clone, Debug)]
pub struct Identity {
    /// How it signs in.
    pub kubeconfig: PathBuf,
    /// How roles are bound to it.
    pub subject: Subject,
}

impl ControlPlane {
    /// A user with a client certificate, and the groups it is in.
    ///
    /// # Errors
    /// When the certificate cannot be made or written.
    pub fn user(&self, name: &str, groups: &[&str]) -> Result<Identity> {
        let pair = self.authority.client(name, groups)?;
        let stem = format!("user-{}", name.replace([':', '/'], "-"));
        let credentials = json!({
            "client-certificate": self.state.write(format!("{stem}.crt"), &pair.certificate)?,
            "client-key": self.state.write(format!("{stem}.key"), &pair.key)?,
        });
        let kubeconfig = self.write_kubeconfig(&stem, &credentials)?;
        let subject = Subject { api_group: Some(API_GROUP.into()), kind: "User".into(), ..subject(name) };
        Ok(Identity { kubeconfig, subject })
    }

    /// A service account, made if it is not there, with a token of one hour. The namespace has to exist.
    ///
    /// # Errors
    /// When the API server refuses the account or its token.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Result<Identity> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        let applied =
            accounts.patch(name, &PatchParams::apply("azureml-control-plane"), &Patch::Apply(account)).await;
        applied.map_err(Error::kube(format!("make account {namespace}/{name}")))?;
        let token = self.token_for(&accounts, name).await?;
        let kubeconfig =
            self.write_kubeconfig(&format!("account-{namespace}-{name}"), &json!({"token": token}))?;
        let namespace = Some(namespace.to_owned());
        Ok(Identity {
            kubeconfig,
            subject: Subject { kind: "ServiceAccount".into(), namespace, ..subject(name) },
        })
    }

    async fn token_for(&self, accounts: &Api<ServiceAccount>, name: &str) -> Result<String> {
        let spec = TokenRequestSpec { expiration_seconds: Some(HOUR), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let answer = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let answer = answer.map_err(Error::kube(format!("request a token for {name:?}")))?;
        Ok(answer.status.and_then(|status| status.token).unwrap_or_default())
    }

    fn write_kubeconfig(&self, stem: &str, credentials: &serde_json::Value) -> Result<PathBuf> {
        let text = kubeconfig::text(self.endpoint(), self.ca_file(), credentials);
        self.state.write(format!("{stem}.kubeconfig"), &text)
    }

    /// Gives these rights to an identity: in one namespace, or, without one, everywhere.
    ///
    /// # Errors
    /// When the API server refuses the role or its binding.
    pub async fn grant(&self, to: &Identity, namespace: Option<&str>, rules: Vec<PolicyRule>) -> Result<()> {
        let failed = || Error::kube(format!("grant rights to {:?}", to.subject.name));
        let (client, create) = (self.client().await?, PostParams::default());
        let (metadata, subjects) = (granted(), Some(vec![to.subject.clone()]));
        if let Some(namespace) = namespace {
            let role = Role { metadata, rules: Some(rules) };
            let role =
                Api::namespaced(client.clone(), namespace).create(&create, &role).await.map_err(failed())?;
            let binding =
                RoleBinding { metadata: granted(), role_ref: role_ref("Role", role.metadata), subjects };
            Api::namespaced(client, namespace).create(&create, &binding).await.map(drop).map_err(failed())
        } else {
            let role = ClusterRole { metadata, rules: Some(rules), ..ClusterRole::default() };
            let role = Api::all(client.clone()).create(&create, &role).await.map_err(failed())?;
            let role_ref = role_ref("ClusterRole", role.metadata);
            let binding = ClusterRoleBinding { metadata: granted(), role_ref, subjects };
            Api::all(client).create(&create, &binding).await.map(drop).map_err(failed())
        }
    }
}

fn subject(name: &str) -> Subject {
    Subject { name: name.to_owned(), ..Subject::default() }
}

fn granted() -> ObjectMeta {
    ObjectMeta { generate_name: Some("granted-".into()), ..ObjectMeta::default() }
}

fn role_ref(kind: &str, role: ObjectMeta) -> RoleRef {
    RoleRef { api_group: Some(API_GROUP.into()), kind: kind.into(), name: role.name.unwrap_or_default() }
}
