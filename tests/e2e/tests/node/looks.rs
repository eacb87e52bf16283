//! What was built and what runs: small, the one that was pushed, without rights, on a file system that cannot be written.

use anyhow::{Context as _, Result, ensure};
use azureml_e2e::installed::container;
use azureml_e2e::{Installed, image};
use kube::ResourceExt as _;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Built again from the same checkout it is the same, to the byte. How large it may be is up to the command, which fails
/// when it is larger; here it is said.
pub fn of_the_image(installed: &Installed) -> Result<()> {
    crate::say(&format!("the image of the profile trial: {}", installed.image));
    let folder = tempfile::tempdir()?;
    let again = image::build("trial", None, folder.path())?;
    ensure!(again == installed.image, "built again it is another: {again}");
    of_the_tree(&folder.path().join("rootfs"))
}

/// What lies in it, and nothing else: no shell, no library.
fn of_the_tree(rootfs: &Path) -> Result<()> {
    let listed = Command::new("find").arg(".").args(["-type", "f"]).current_dir(rootfs).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let files: BTreeSet<&str> = listed.lines().collect();
    let licences = ["./licenses/LICENSE", "./licenses/NOTICE", "./licenses/THIRD-PARTY"];
    let wanted = ["./azureml-operator", "./etc/ssl/certs/ca-certificates.crt"];
    ensure!(files == wanted.into_iter().chain(licences).collect(), "the image holds {files:?}");
    let terms = std::fs::read_to_string(rootfs.join("licenses/THIRD-PARTY"))?;
    for part in
        ["GNU C Library", "Rust standard library", "ring 0.", "kube-client 5.", "webpki-root-certs 1."]
    {
        ensure!(terms.contains(part), "the licences do not speak of {part}");
    }
    Ok(())
}

/// Two pods of the image that was built, each as the chart promises.
pub async fn of_the_pods(installed: &Installed) -> Result<()> {
    let pods = installed.pods().await?;
    ensure!(pods.len() == 2, "{} pods are ready", pods.len());
    for pod in pods {
        let container = container(&pod).with_context(|| format!("{} has no container", pod.name_any()))?;
        ensure!(container.image_id.ends_with(&installed.image.digest), "{} runs", container.image_id);
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
