//! The way into the cluster: kubectl, which knows contexts, logins and proxies. There is no second client.
//!
//! In: arguments of kubectl. Out: what it prints, or an error with the remedy first. Decides nothing of what it is asked.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_cli::named::elsewhere;
use azureml_cli::objects::{objects, resources};
use azureml_cli::said::plain;
use azureml_cli::thing::{Thing, things};
use azureml_crds::GROUP;
use serde_json::Value;
use std::cell::OnceCell;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// Which cluster.
#[derive(clap::Args, Clone)]
pub struct Cluster {
    /// The context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Which namespace of which cluster.
#[derive(clap::Args, Clone)]
pub struct Place {
    /// The namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    pub cluster: Cluster,
    /// The namespace of the context, once it was asked for.
    #[arg(skip)]
    known: OnceCell<String>,
}

impl Cluster {
    /// A cluster by its context and its kubeconfig.
    pub fn of(context: Option<String>, kubeconfig: Option<PathBuf>) -> Self {
        Self { context, kubeconfig }
    }

    /// kubectl with arguments, for this cluster.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(arguments);
        if let Some(context) = &self.context {
            command.args(["--context", context]);
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        command
    }

    /// What kubectl prints.
    ///
    /// # Errors
    /// When it is not there, or refuses.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        printed(arguments, self.command(arguments).stdin(Stdio::null()).output())
    }

    /// What kubectl prints that is given a text.
    ///
    /// # Errors
    /// When it is not there, or refuses.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let given = command.spawn().and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(input.as_bytes())?;
            }
            child.wait_with_output()
        });
        printed(arguments, given)
    }

    /// A kubectl that goes on, whose output is read while it does.
    ///
    /// # Errors
    /// When it is not there.
    pub fn going(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(absent)
    }

    /// The namespace of the context.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn context_namespace(&self) -> Result<String> {
        let found = self.kubectl(&["config", "view", "--minify", "--output=jsonpath={..namespace}"])?;
        Ok(if found.is_empty() { "default".to_owned() } else { found })
    }

    /// The MLWorkspaces of other namespaces that objects of the namespace `own` name. One that cannot be read is left out, and the user is told.
    pub fn shared(&self, own: &str, named_by: &[Value]) -> Vec<Value> {
        let mut found = Vec::new();
        for (namespace, name) in elsewhere(own, named_by) {
            let workspace = format!("mlworkspaces.{GROUP}/{name}");
            let asked = self.kubectl(&["get", &workspace, "--output=json", "--namespace", &namespace]);
            match asked.and_then(|text| objects("the cluster", &text)) {
                Ok(all) => found.extend(all),
                Err(error) => {
                    eprintln!("MLWorkspace {namespace}/{name} is left out: {}", plain(&format!("{error:#}")));
                }
            }
        }
        found
    }

    /// All objects of our kinds in a namespace, or in all.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn all(&self, namespace: Option<&str>) -> Result<Vec<Value>> {
        let kinds = resources();
        let mut arguments = vec!["get", kinds.as_str(), "--output=json"];
        match namespace {
            Some(namespace) => arguments.extend(["--namespace", namespace]),
            None => arguments.push("--all-namespaces"),
        }
        objects("the cluster", &self.kubectl(&arguments)?)
    }
}

impl Place {
    /// The namespace of the arguments alone.
    pub fn named(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The namespace: that of the arguments, else that of the context.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn namespace(&self) -> Result<String> {
        if let Some(known) = self.namespace.as_ref().or_else(|| self.known.get()) {
            return Ok(known.clone());
        }
        let found = self.cluster.context_namespace()?;
        Ok(self.known.get_or_init(|| found).clone())
    }

    /// What kubectl prints in the namespace.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let namespace = self.namespace()?;
        self.cluster.kubectl(&[arguments, &["--namespace", &namespace]].concat())
    }

    /// All objects of our kinds in the namespace.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn things(&self) -> Result<Vec<Thing>> {
        let namespace = self.namespace()?;
        Ok(things(self.cluster.all(Some(&namespace))?, &namespace))
    }

    /// The MLWorkspaces of other namespaces that objects name, as far as they can be read.
    ///
    /// # Errors
    /// As those of kubectl.
    pub fn shared(&self, named_by: &[Value]) -> Result<Vec<Value>> {
        Ok(self.cluster.shared(&self.namespace()?, named_by))
    }

    /// One object, named as KIND/NAME.
    ///
    /// # Errors
    /// As those of kubectl; and where the kind is none of ours.
    pub fn thing(&self, named: &str) -> Result<Thing> {
        let resource = resource(named)?;
        let namespace = self.namespace()?;
        let text = self.cluster.kubectl(&["get", &resource, "--output=json", "--namespace", &namespace])?;
        Ok(Thing::of(serde_json::from_str(&text).context("kubectl")?, &namespace))
    }
}

/// KIND/NAME as kubectl takes it without a doubt: `mlruns.azureml.dev/NAME`.
///
/// # Errors
/// When it is none, or the kind is none of ours.
pub fn resource(named: &str) -> Result<String> {
    let (of, name) = named.split_once('/').unwrap_or((named, ""));
    let of = of.split('.').next().unwrap_or_default();
    match azureml_crds::kind(of).and_then(|kind| azureml_crds::plural(&kind)) {
        Some(plural) if !name.is_empty() => Ok(format!("{plural}.{}/{name}", azureml_crds::GROUP)),
        _ => bail!(
            "write KIND/NAME, such as mlpipeline/train; {named:?} is none, and the kinds are {}",
            azureml_crds::kinds().join(", ")
        ),
    }
}

fn absent(error: std::io::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::NotFound {
        return anyhow::anyhow!(
            "install kubectl, and put it into the PATH: the cluster is reached by it alone"
        );
    }
    anyhow::Error::new(error).context("failed to start kubectl")
}

/// What kubectl printed, or why it did not.
fn printed(arguments: &[&str], output: std::io::Result<Output>) -> Result<String> {
    let output = output.map_err(absent)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), refused(arguments, said.trim()));
    Ok(String::from_utf8(output.stdout).context("kubectl")?.trim().to_owned())
}

/// What kubectl said, behind the remedy where it is known.
pub fn refused(arguments: &[&str], said: &str) -> String {
    let remedy = if said.contains("the server doesn't have a resource type") {
        "install the operator's definitions, or choose another cluster by --context: "
    } else if said.contains("(Forbidden)") {
        "ask for a role in the namespace (view to look, edit to change), or choose another by --namespace: "
    } else if said.contains("(NotFound)") {
        "correct the name, or choose another namespace by --namespace: "
    } else if said.contains("You must be logged in") || said.contains("(Unauthorized)") {
        "sign in to the cluster as for kubectl: "
    } else {
        ""
    };
    format!("{remedy}kubectl {}: {said}", arguments.join(" "))
}
