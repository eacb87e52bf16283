//! Dockerfiles that the operator writes, built for real: by buildah, offline, on an image whose programs are Debian's own. The
//! mirror is a folder with packages that the test makes.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_client::ArmId;
use azureml_control_plane::Node;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_workspace::{RegistryStatus, RoleAssignmentMode};
use azureml_crds::sharing::WorkspaceReference;
use azureml_plan::Decide as _;
use azureml_plan::context::Workspace;
use azureml_plan::environment::{Refs, Source};
use azureml_plan::grants::Rights;
use azureml_plan::owner::Owner;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Where packages come from unless a spec says otherwise; a folder takes its place.
const CRAN: &str = "https://packagemanager.posit.co/cran";
const BASE: &str = "localhost/debian:1";
/// Programs and their settings are those of the machine, and the image has its own place for what is installed.
const CONTAINERFILE: &str = "FROM scratch\nCOPY root /\nENV PATH=/opt/venv/bin:/opt/conda:/usr/bin:/bin R_LIBS=/opt/r \
                             PIP_NO_INDEX=1 PIP_FIND_LINKS=/mirror/pip\nRUN /usr/bin/python3 -m venv /opt/venv\n";

/// Why nothing can be built here; with `CI` set, a program that is missing is a failure and no reason.
pub fn unavailable() -> Option<String> {
    let has_r = Command::new("Rscript").arg("--version").output().is_ok_and(|done| done.status.success());
    let is_required = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    Node::unavailable().or_else(|| (!has_r && !is_required).then(|| "R is missing".to_owned()))
}

/// A folder with a base, a mirror and buildah's storage.
pub struct Workshop(TempDir);

impl Workshop {
    pub fn open() -> Result<Self> {
        let workshop = Self(tempfile::tempdir()?);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/workshop.py");
        let made = Command::new("python3").arg(script).arg(workshop.0.path()).output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(workshop.0.path().join("base/Dockerfile"), CONTAINERFILE)?;
        let (_, log) = workshop.build("base", &["--tag", BASE])?;
        ensure!(log.contains("Successfully tagged"), "{log}");
        Ok(workshop)
    }

    /// Builds what the operator would send to ACR Tasks for a spec: whether it was built, and the log.
    pub fn environment(&self, spec: &Value) -> Result<(bool, String)> {
        let folder = self.0.path().join("context");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        for (name, text) in files(spec)? {
            std::fs::write(folder.join(name), text.replace(CRAN, "file:///mirror/cran"))?;
        }
        self.build("context", &[])
    }

    fn build(&self, context: &str, more: &[&str]) -> Result<(bool, String)> {
        let of = |name: &str| self.0.path().join(name).to_string_lossy().into_owned();
        let mut buildah = Command::new("buildah");
        buildah.args([
            "--root",
            &of("storage/root"),
            "--runroot",
            &of("storage/run"),
            "--storage-driver",
            "vfs",
            "build",
        ]);
        buildah.args([
            "--isolation=oci",
            "--network=none",
            "--pull=never",
            "--volume=/usr:/usr:ro",
            "--volume=/etc:/etc:ro",
        ]);
        buildah.arg(format!("--volume={}:/mirror:ro", of("mirror"))).args(more);
        let done = buildah.args(["--file", &of(&format!("{context}/Dockerfile")), &of(context)]).output()?;
        let log = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Ok((done.status.success(), log))
    }
}

/// The files of a build, as they are planned.
fn files(spec: &Value) -> Result<Vec<(String, String)>> {
    let mut whole = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLEnvironment",
        "metadata": {"name": "built", "namespace": "team"}, "spec": {"workspaceRef": {"name": "w"}}});
    for (key, value) in spec.as_object().context("no spec")? {
        whole["spec"][key] = value.clone();
    }
    let environment: MLEnvironment = serde_json::from_value(whole)?;
    let registry = RegistryStatus {
        resource_id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"
            .into(),
        login_server: "r.azurecr.io".into(),
        location: "westeurope".into(),
        role_assignment_mode: RoleAssignmentMode::LegacyRegistryPermissions,
    };
    let workspace = Workspace {
        reference: WorkspaceReference::own("w"),
        id: ArmId::workspace("s", "g", "w"),
        region: "westeurope".into(),
        data_plane: None,
        registry: Some(registry),
        rights: Rights::Own,
        identity: "own".into(),
    };
    let owner = Owner {
        cluster: "c".into(),
        namespace: "team".into(),
        name: "built".into(),
        predecessors: Vec::new(),
    };
    let wanted = environment.wanted(&Refs::new(workspace, owner)).map_err(anyhow::Error::msg)?;
    let Source::Built { files, .. } = wanted.source else { bail!("nothing is built") };
    Ok(files.into_iter().collect())
}

/// Packages of R and Python are installed and load; one version comes from CRAN's archive, with what it needs.
pub fn packages(workshop: &Workshop) -> Result<()> {
    let code = "stopifnot(packageVersion('pinned') == '1.2', packageVersion('needed') == '1.0')";
    let spec = |more: Value| {
        let mut packages = json!({"base": BASE});
        for (key, value) in more.as_object().into_iter().flatten() {
            packages[key] = value.clone();
        }
        json!({"packages": packages})
    };
    let all = json!({"r": ["plain", "pinned@1.2"], "snapshot": "2026-11-01", "pip": ["tiny-learn==1.0"],
        "verify": {"pythonPackages": ["tinylearn"], "command": ["Rscript", "-e", code]}});
    let (is_built, log) = workshop.environment(&spec(all))?;
    ensure!(is_built, "{log}");
    for (more, says) in [
        (
            json!({"r": ["absent"], "snapshot": "2026-11-01"}),
            "the mirror has no package absent on 2026-11-01",
        ),
        (json!({"r": ["broken"], "snapshot": "2026-11-01"}), "the package broken was not installed"),
        (
            json!({"r": ["plain"], "snapshot": "2026-11-02"}),
            "the mirror has no packages at file:///mirror/cran/2026-11-02",
        ),
        (json!({"pip": ["absent"]}), "No matching distribution found for absent"),
        (
            json!({"pip": [format!("tiny-learn==1.0 --hash=sha256:{}", "0a".repeat(32))]}),
            "DO NOT MATCH THE HASHES",
        ),
    ] {
        let (is_built, log) = workshop.environment(&spec(more))?;
        ensure!(!is_built && log.contains(says), "without {says:?}: {log}");
    }
    Ok(())
}

/// A conda environment is where Azure ML has it, is the one of every command, and each of its packages is looked for. A program
/// that makes an environment of Debian's Python stands in for conda.
pub fn conda(workshop: &Workshop) -> Result<()> {
    let code = "import os, sys, tinylearn; path = os.environ['AZUREML_CONDA_ENVIRONMENT_PATH']; \
                assert sys.prefix == path == os.environ['CONDA_PREFIX'] and path.startswith('/azureml-envs/azureml_'); \
                assert os.environ['CONDA_DEFAULT_ENV'] == path.split('/')[-1]; \
                assert os.environ['LD_LIBRARY_PATH'].startswith(path + '/lib:')";
    let file = "dependencies:\n- python=3.11\n- conda-forge::light-gbm>=4\n- pip:\n  - tiny-learn==1.0\n";
    let spec = |file: &str| json!({"conda": {"image": BASE, "file": file, "verify": {"command": ["python", "-c", code]}}});
    let (is_built, log) = workshop.environment(&spec(file))?;
    ensure!(is_built, "{log}");
    // The stand-in leaves out what is called so.
    let (is_built, log) =
        workshop.environment(&spec(&file.replace("python=3.11", "python=3.11\n- left-out")))?;
    ensure!(!is_built && log.contains("conda did not install: left-out"), "{log}");
    let (is_built, log) = workshop.environment(&spec(&format!("{file}  - left-out\n")))?;
    ensure!(!is_built && log.contains("PackageNotFoundError") && log.contains("left-out"), "{log}");
    Ok(())
}
