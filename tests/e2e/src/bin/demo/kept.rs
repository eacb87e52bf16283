//! What is said when the demo stays: how to look around, and how to try manifests of one's own. In: the namespace of the
//! story. Out: commands that can be copied; a test runs them as they are printed.

use anyhow::{Context as _, Result};
use azureml_e2e::cluster;
use std::path::Path;

/// Says how to look at everything, and waits for Ctrl-C.
pub async fn keep(namespace: &str) -> Result<()> {
    let program = cluster::kubectl();
    let folder = Path::new(program.get_program()).parent().context("kubectl is in no folder")?;
    println!("\n{}", commands(cluster::kubeconfig(), folder, namespace));
    println!("Ctrl-C here ends everything.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Each command stands in a line that begins with two blanks.
fn commands(kubeconfig: &Path, programs: &Path, namespace: &str) -> String {
    let (kubeconfig, programs) = (kubeconfig.display(), programs.display());
    format!(
        "Look around, in another terminal, in the folder of this project:

  export KUBECONFIG={kubeconfig}
  export PATH={programs}:\"$PATH\"
  kubectl --namespace {namespace} get azureml
  kubectl --namespace {namespace} describe mlpipeline r-gbm

Try manifests of your own, in a namespace of your own. Any name will do; every namespace is served. The workspace and the
clusters of the example are a beginning; give each `publish.endpoint` a name that is not taken:

  kubectl create namespace my-team
  kubectl config set-context --current --namespace=my-team
  kubectl apply -f examples/r-gbm/workspace.yaml -f examples/r-gbm/computes.yaml
  sed 's/endpoint: .*/endpoint: my-first/' examples/python-parallel/python-parallel.yaml | kubectl apply -f -
  kubectl wait --for=condition=Ready azureml --all --timeout=2m
  kubectl create -f examples/runs/python-parallel.yaml
  kubectl get mlruns
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_what_is_here() {
        let said = commands(Path::new("/k/config"), Path::new("/p"), "demo-1");
        assert!(said.contains("\n  export KUBECONFIG=/k/config\n  export PATH=/p:\"$PATH\"\n"), "{said}");
        assert!(said.contains("\n  kubectl --namespace demo-1 get azureml\n"), "{said}");
    }
}
