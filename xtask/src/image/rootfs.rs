//! The file tree of the image: the program, the authorities that it trusts, the licences. Nothing else, not even a shell.
//! In: the program. Out: a folder that holds exactly these, with modes that do not depend on the user's umask.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{binary, licences};
use crate::workspace::Workspace;

/// Where the program looks for the authorities that it trusts, as every program on Debian does.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Makes the folder anew.
pub fn lay(workspace: &Workspace, program: &Path, rootfs: &Path) -> anyhow::Result<()> {
    if rootfs.exists() {
        fs::remove_dir_all(rootfs).with_context(|| format!("failed to remove {}", rootfs.display()))?;
    }
    let read = |path: &Path| fs::read(path).with_context(|| format!("failed to read {}", path.display()));
    put(rootfs, "azureml-operator", 0o755, &read(program)?)?;
    put(rootfs, AUTHORITIES, 0o644, authorities().as_bytes())?;
    for name in ["LICENSE", "NOTICE"] {
        put(rootfs, &format!("licenses/{name}"), 0o644, &read(&workspace.root.join(name))?)?;
    }
    put(
        rootfs,
        "licenses/THIRD-PARTY",
        0o644,
        licences::collect(workspace, &[binary::OPERATOR.0])?.as_bytes(),
    )
}

fn put(rootfs: &Path, name: &str, mode: u32, content: &[u8]) -> anyhow::Result<()> {
    let path = rootfs.join(name);
    let failed = || format!("failed to write {}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(rootfs)).with_context(failed)?;
    for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(rootfs)) {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).with_context(failed)?;
    }
    fs::write(&path, content).with_context(failed)?;
    fs::set_permissions(&path, Permissions::from_mode(mode)).with_context(failed)
}

/// The public authorities as PEM, of the crate whose version `Cargo.lock` holds: Mozilla's list.
fn authorities() -> String {
    let mut text =
        "# The authorities that Mozilla trusts for servers, as of the crate webpki-root-certs.\n".to_owned();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let lines = STANDARD.encode(certificate);
        text += "-----BEGIN CERTIFICATE-----\n";
        for line in lines.as_bytes().chunks(64) {
            text += &String::from_utf8_lossy(line);
            text += "\n";
        }
        text += "-----END CERTIFICATE-----\n";
    }
    text
}

/// The bytes of all files below a folder.
pub fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        size +=
            if entry.file_type()?.is_dir() { self::size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorities_are_those_of_a_browser_in_the_form_that_programs_read() {
        let text = authorities();
        let count = text.matches("-----BEGIN CERTIFICATE-----").count();
        assert!(count > 100, "{count} authorities");
        assert_eq!(count, text.matches("-----END CERTIFICATE-----").count());
        assert!(text.lines().skip(1).all(|line| line.len() <= 64), "lines of PEM have 64 characters");
    }
}
