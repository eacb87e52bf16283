#!/usr/bin/env python3
"""Write windows-zones.json: each Windows time zone that Azure ML's client accepts, with its IANA names.

The first IANA name of a zone is the one to translate the Windows name back to. Azure ML takes Windows names only
(Azure REST API, `TriggerBase.timeZone`). The mapping is CLDR's (Unicode License V3, windows-zones.LICENSE).
Needs `npm` and `pip` on the PATH; `--check` compares instead of writing.
"""

import ast
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zoneinfo

HERE = pathlib.Path(__file__).parent
OUTPUT = HERE / "windows-zones.json"
# Package, version, SHA-256 of the archive that was read.
NPM = {
    "cldr-core": ("48.2.0", "5310e0c7a06c1feb83dc8e54c8584bbe0b9c2ea8320172a18d541986b124585d"),
    "cldr-bcp47": ("48.2.0", "b4a4f36a891b9fde1ffeddf1b1cb7f87d025656a58415291a96b563a82700fe0"),
}
PIP = {
    "azure-ai-ml": ("1.35.2", "a2dceea2a491ddd0e714f97d0a506c1150de5b65023f3d25a3e5b5ddd81a45f8"),
    "tzdata": ("2026.6", "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"),
}
# Two zones that count as one must agree at each of these instants. The window is fixed, so that the result is too.
FIRST = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)
PROBES = [FIRST + datetime.timedelta(hours=12 * step) for step in range(800)]


def fetch(folder):
    """Download the pinned archives and return the path of each."""
    found = {}
    for name, (version, digest) in NPM.items():
        subprocess.run(
            ["npm", "pack", "--silent", f"{name}@{version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found[name] = verified(folder / f"{name}-{version}.tgz", digest)
    for name, (version, digest) in PIP.items():
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
        ]
        subprocess.run([*command, f"{name}=={version}"], cwd=folder, check=True)
        found[name] = verified(next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl")), digest)
    return found


def verified(path, digest):
    """Return the path when the file has the wanted SHA-256."""
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if actual != digest:
        raise SystemExit(
            f"{path.name} has SHA-256 {actual}, wanted {digest}: pin the new archive or find out why it changed"
        )
    return path


def from_npm(archive, member):
    """Read one JSON file of an npm package."""
    with tarfile.open(archive) as package:
        return json.load(package.extractfile(f"package/{member}"))


def accepted_names(wheel):
    """The Windows names in the `TimeZone` enumeration of the client."""
    source = zipfile.ZipFile(wheel).read("azure/ai/ml/constants/_common.py")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == "TimeZone":
            return {line.value.value for line in node.body if isinstance(line, ast.Assign)}
    raise SystemExit(
        "azure-ai-ml has no `TimeZone` enumeration any more: look for the list of accepted names anew"
    )


def aliases(bcp47):
    """Each IANA name with all names of its zone, the preferred one first."""
    table = {}
    for entry in bcp47["keyword"]["u"]["tz"].values():
        if isinstance(entry, dict) and "_alias" in entry:
            names = entry["_alias"].split()
            preferred = entry.get("_iana", names[0])
            ordered = [preferred, *sorted(name for name in names if name != preferred)]
            table.update(dict.fromkeys(names, ordered))
    return table


def same_clock(name, reference):
    """Whether the zone exists in the time zone database and shows the reference's time at every probe."""
    if name not in zoneinfo.available_timezones():
        return False
    zone, other = zoneinfo.ZoneInfo(name), zoneinfo.ZoneInfo(reference)
    return all(
        zone.utcoffset(probe.astimezone(zone)) == other.utcoffset(probe.astimezone(other)) for probe in PROBES
    )


def build(archives):
    """The table, and the IANA names that were left out because their clock differs."""
    zones = from_npm(archives["cldr-core"], "supplemental/windowsZones.json")["supplemental"]["windowsZones"][
        "mapTimezones"
    ]
    names = aliases(from_npm(archives["cldr-bcp47"], "bcp47/timezone.json"))
    accepted = accepted_names(archives["azure-ai-ml"])
    table, left_out = {name: [] for name in sorted(accepted)}, []
    # CLDR lists territory 001, the reference of a zone, before its other territories.
    for entry in (zone["mapZone"] for zone in zones):
        known = table.get(entry["_other"])
        if known is None:
            continue
        for listed in entry["_type"].split():
            for name in names.get(listed, [listed]):
                if name in known:
                    continue
                agrees = not known or same_clock(name, known[0])
                (known if agrees else left_out).append(name)
    return {zone: [*known[:1], *sorted(known[1:])] for zone, known in table.items()}, sorted(set(left_out))


def render(table):
    """One line for each Windows zone."""
    lines = [f"  {json.dumps(zone)}: {json.dumps(known)}" for zone, known in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    """Write the table, or compare it with the committed one."""
    with tempfile.TemporaryDirectory() as folder:
        archives = fetch(pathlib.Path(folder))
        sys.path.insert(0, str(archives["tzdata"]))
        zoneinfo.reset_tzpath([])
        table, left_out = build(archives)
    text = render(table)
    print("left out, unknown to the time zone database or with another clock:", ", ".join(left_out))
    print(
        "accepted by Azure ML, without an IANA name:",
        ", ".join(zone for zone, known in table.items() if not known),
    )
    if "--check" not in sys.argv:
        OUTPUT.write_text(text)
    elif OUTPUT.read_text() != text:
        raise SystemExit(f"{OUTPUT.name} is stale: run {pathlib.Path(__file__).name}")


if __name__ == "__main__":
    main()
