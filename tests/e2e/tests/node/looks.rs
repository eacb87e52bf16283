//! What was built and what runs: small, the one that was pushed, without rights, on a file system that cannot be written.

use anyhow::{Context as _, Result, ensure};
use azureml_e2e::Installed;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;

/// The command fails when the image is too large; here it says how large it is.
pub fn of_the_image(installed: &Installed) -> Result<()> {
    let line = installed.said.lines().find(|line| line.contains(" MB of files")).context("no size")?;
    crate::say(line);
    ensure!(line.contains(&installed.digest), "{line} is about another image than {}", installed.digest);
    Ok(())
}

/// Two pods of the image that was built, each as the chart promises.
pub async fn of_the_pods(installed: &Installed) -> Result<()> {
    let pods = installed.pods().await?;
    ensure!(pods.len() == 2, "{} pods are ready", pods.len());
    for pod in pods {
        let container = container(&pod).with_context(|| format!("{} has no container", pod.name_any()))?;
        ensure!(container.image_id.ends_with(&installed.digest), "{} runs", container.image_id);
        let id = container.container_id.as_deref().unwrap_or_default();
        let processes = installed.node.processes(id)?;
        let [process] = processes[..] else { anyhow::bail!("the container's processes are {processes:?}") };
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}"));
        let status = read("status")?;
        let says = |name: &str, value: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            ensure!(line.split_whitespace().skip(1).all(|word| word == value), "{line}, not {value}");
            Ok(())
        };
        says("Uid:", "65532")?;
        says("Gid:", "65532")?;
        says("CapEff:", "0000000000000000")?;
        says("CapBnd:", "0000000000000000")?;
        says("NoNewPrivs:", "1")?;
        says("Seccomp:", "2")?;
        let mounts = read("mountinfo")?;
        let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).context("no root")?;
        ensure!(root.split(' ').nth(5).is_some_and(|options| options.starts_with("ro")), "{root}");
    }
    Ok(())
}

/// The state of a pod's only container.
pub fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}
