//! The container that every pod has: Kubernetes' own, of its C source, which the Go module brings.
//! In: the cache. Out: an archive with its image, which containerd takes in. Compiled and packed once.

use std::fs;
use std::path::{Path, PathBuf};

use super::run;
use crate::cache::{self, Cache};
use crate::error::{Error, Result};
use crate::modules;

const FILE: &str = "FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT [\"/pause\"]\n";
/// Nothing is fetched, so there are no signatures to ask for.
const POLICY: &str = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;

/// The image's name in the archive.
pub(super) const NAME: &str = "localhost/pause:latest";

/// The archive.
pub(crate) fn find(cache: &Cache) -> Result<PathBuf> {
    let module = modules::kubernetes();
    let entry = cache.entry("pause", &cache::key(&[module.version(), FILE, NAME]), |draft| {
        let source = module.source(draft)?.join("build/pause/linux/pause.c");
        let program = draft.join("pause");
        let (from, to) = (source.to_string_lossy(), program.to_string_lossy());
        run("cc", &["-Os", "-Wall", "-static", "-DVERSION=v3", "-o", &to, &from])?;
        for (name, content) in [("Containerfile", FILE), ("policy.json", POLICY)] {
            fs::write(draft.join(name), content).map_err(Error::file("write", draft.join(name)))?;
        }
        pack(draft)
    })?;
    Ok(entry.join("pause.tar"))
}

fn pack(folder: &Path) -> Result<()> {
    let of = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (root, runroot, policy) = (of("storage/root"), of("storage/run"), of("policy.json"));
    let storage = ["--root", &root, "--runroot", &runroot, "--storage-driver", "vfs"];
    let (file, context) = (of("Containerfile"), of(""));
    let build = ["build", "--quiet", "--isolation=chroot", "--pull=never", "--tag", NAME, "--file"];
    run("buildah", &[&storage[..], &build[..], &[&file, &context]].concat())?;
    let push = ["push", "--quiet", "--signature-policy", &policy, NAME];
    run(
        "buildah",
        &[&storage[..], &push[..], &[&format!("docker-archive:{}:{NAME}", of("pause.tar"))]].concat(),
    )?;
    fs::remove_dir_all(folder.join("storage")).map_err(Error::file("remove", folder.join("storage")))
}
