"""Makes what a Dockerfile is built with offline: the frame of a base image, a stand-in for conda, a mirror of packages."""

import io
import pathlib
import shutil
import sys
import tarfile
import zipfile

CONDA = '''#!/usr/bin/python3
"""Stands in for conda: makes an environment of Debian's Python, and leaves out what is called left-out."""
import pathlib, subprocess, sys
if sys.argv[1] == "env":
    prefix, file = pathlib.Path(sys.argv[4]), pathlib.Path(sys.argv[6])
    assert sys.argv[1:6:2] == ["env", "--prefix", "--file"], sys.argv
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    (prefix / "conda-meta").mkdir()
    for line in file.read_text().splitlines():
        if line.startswith("  - ") and "left-out" not in line:
            subprocess.run([prefix / "bin/pip", "install", line[4:]], check=True)
        elif line.startswith("- ") and not line.endswith(":") and "left-out" not in line:
            name = line[2:].split("::")[-1].split("=")[0].split(">")[0]
            (prefix / "conda-meta" / f"{name}-1.0-0.json").write_text("{}")
'''


def frame(root: pathlib.Path) -> None:
    """The folders and links of a system whose programs come from elsewhere."""
    for folder in ("usr", "etc", "tmp", "var/tmp", "root", "proc", "dev", "sys", "mirror", "opt/r", "opt/conda"):
        (root / folder).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    for file in ("passwd", "group"):
        shutil.copy(f"/etc/{file}", root / "etc")
    (root / "opt/conda/conda").write_text(CONDA)
    (root / "opt/conda/conda").chmod(0o755)


def wheel(path: pathlib.Path) -> None:
    """A Python package whose module has another name."""
    path.parent.mkdir(parents=True)
    metadata = "tiny_learn-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tinylearn.py", "")
        file.writestr(f"{metadata}/METADATA", "Metadata-Version: 2.1\nName: tiny-learn\nVersion: 1.0\n")
        file.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{metadata}/RECORD", "")


def r_package(path: pathlib.Path, more: str = "", code: str = "x <- 1\n") -> str:
    """An R package of its source, and its entry in an index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name, version = path.name.removesuffix(".tar.gz").split("_")
    entry = f"Package: {name}\nVersion: {version}\n{more}"
    description = f"{entry}Title: T\nDescription: D.\nAuthor: A\nMaintainer: A <a@example.com>\nLicense: GPL-3\n"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in (("DESCRIPTION", description), ("NAMESPACE", "export(x)\n"), ("R/x.R", code)):
            info = tarfile.TarInfo(f"{name}/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return entry


def cran(folder: pathlib.Path) -> None:
    """A day of CRAN, without binaries: a version of `pinned`, and an older one that needs `needed`."""
    r_package(folder / "Archive/pinned/pinned_1.2.tar.gz", "Imports: needed (>= 0.1),\n    stats\n")
    entries = [r_package(folder / f"{name}.tar.gz") for name in ("plain_1.0", "needed_1.0", "pinned_2.0")]
    entries.append(r_package(folder / "broken_1.0.tar.gz", code="stop('broken')\n"))
    (folder / "PACKAGES").write_text("\n".join(entries))


def main() -> None:
    workshop = pathlib.Path(sys.argv[1])
    frame(workshop / "base/root")
    wheel(workshop / "mirror/pip/tiny_learn-1.0-py3-none-any.whl")
    cran(workshop / "mirror/cran/2026-11-01/src/contrib")


main()
