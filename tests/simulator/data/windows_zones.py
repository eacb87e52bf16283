"""Reduces CLDR's table of Windows time zones to one IANA zone for each name.

python3 windows_zones.py FOLDER-OF-cldr-core

The folder is the unpacked npm package cldr-core (48.2.0 was used; licence Unicode-3.0, see windows-zones.LICENSE).
Only the entries for territory 001 are kept: the zone that stands for the name without regard to a country.
"""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
table = json.loads((folder / "supplemental" / "windowsZones.json").read_text())
zones = (entry["mapZone"] for entry in table["supplemental"]["windowsZones"]["mapTimezones"])
names = {zone["_other"]: zone["_type"].split()[0] for zone in zones if zone["_territory"] == "001"}
out = pathlib.Path(__file__).with_name("windows-zones.json")
out.write_text(json.dumps(names, indent=1, sort_keys=True) + "\n")
