//! What this machine can run: programs on its path, with `python` served by `python3` where it has no name of its own.

use std::path::{Path, PathBuf};

/// The folders that programs are looked for in.
fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The file of a program.
pub fn find(program: &str) -> Option<PathBuf> {
    path().into_iter().map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// Whether a program can be started here.
pub fn has(program: &str) -> bool {
    find(program).is_some() || (program == "python" && find("python3").is_some())
}

/// Gives `python` a name in a folder when only `python3` is there; true when the folder is needed on the path.
pub fn lend_python(folder: &Path) -> std::io::Result<bool> {
    match (find("python"), find("python3")) {
        (None, Some(python3)) => {
            std::fs::create_dir_all(folder)?;
            std::os::unix::fs::symlink(python3, folder.join("python"))?;
            Ok(true)
        }
        (_, _) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_found_and_a_program_that_nobody_has_is_not() {
        assert!(has("sh"));
        assert!(!has("no-such-program-anywhere"));
    }
}
