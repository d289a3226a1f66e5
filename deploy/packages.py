"""What is installed with a server and its tests, from the locks: a bill of materials, and whether anything in it is known to be vulnerable.

    python deploy/packages.py sbom       CycloneDX, of what a server runs on, to standard output
    python deploy/packages.py check      asks OSV about all locks; fails where something is found

Where OSV can't be reached, `check` says that nothing was checked, and does not fail. Standard library alone.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
import urllib.request
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SERVER = ("requirements.txt", "requirements-postgres.txt", "requirements-s3.txt", "requirements-cluster.txt")
LOCKS = (*SERVER, "requirements-dev.txt", "tests/requirements.txt", "tests/requirements-machines.txt")
CONSOLE = "backend/console/package-lock.json"
OSV = os.environ.get("QUMULUS_OSV", "https://api.osv.dev")
SECONDS = 10.0
AT_ONCE = 500  # packages of a request

ACCEPTED: Mapping[str, str] = {}
"""Why a finding does no harm here, by its identifier."""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package in one version."""

    ecosystem: str  # as OSV calls it
    name: str
    version: str

    @property
    def url(self) -> str:
        """Its package URL."""
        return f"pkg:{self.ecosystem.lower()}/{self.name.replace('@', '%40')}@{self.version}"


def locked(path: Path) -> dict[Package, list[str]]:
    """The packages of a lock of Python packages, each with the SHA-256 sums of its files."""
    found: dict[Package, list[str]] = {}
    for entry in re.split(r"\n(?=\S)", path.read_text()):
        if named := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry):
            package = Package("PyPI", named[1].lower().replace("_", "-"), named[2])
            found[package] = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
    return found


def built_with(path: Path) -> set[Package]:
    """The packages that the console is built with."""
    entries = json.loads(path.read_text())["packages"].items()
    return {Package("npm", name.rpartition("node_modules/")[2], each["version"]) for name, each in entries if name}


def bill() -> dict[str, Any]:
    """The bill of materials of a server, in the form of CycloneDX 1.6. The same locks give the same bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = locked(ROOT / SERVER[0])
    every = {package: sums for name in SERVER for package, sums in locked(ROOT / name).items()}
    components = [
        {
            "type": "library",
            "bom-ref": package.url,
            "name": package.name,
            "version": package.version,
            "purl": package.url,
            "scope": "required" if package in needed else "optional",
            "properties": [{"name": "qumulus:sha256", "value": each} for each in sums],
        }
        for package, sums in sorted(every.items())
    ]
    ours = Package("PyPI", project["name"], project["version"])
    about = {"type": "application", "bom-ref": ours.url, "name": ours.name, "version": ours.version, "purl": ours.url}
    identity = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{identity}",
        "version": 1,
        "metadata": {"component": about},
        "components": components,
    }


def found_by(address: str, packages: Sequence[Package]) -> dict[Package, list[str]]:
    """The identifiers of what is known of each package.

    Raises:
        OSError: the service can't be reached, or answers with an error.
        ValueError, KeyError, TypeError, AttributeError: what answers is not that service.
    """
    known: dict[Package, list[str]] = {}
    waiting = [(package, {"version": package.version}) for package in packages]
    while waiting:
        some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        queries = [{"package": {"ecosystem": each.ecosystem, "name": each.name}, **more} for each, more in some]
        body = json.dumps({"queries": queries}).encode()
        request = urllib.request.Request(f"{address}/v1/querybatch", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            results = json.loads(answer.read())["results"]
        for (package, more), result in zip(some, results, strict=True):
            if ids := [each["id"] for each in result.get("vulns", ())]:
                known[package] = sorted({*known.get(package, ()), *ids})
            if token := result.get("next_page_token"):
                waiting.append((package, {**more, "page_token": token}))
    return known


def told(known: Mapping[Package, Iterable[str]]) -> list[str]:
    """A line for everything that is not accepted."""
    return [
        f"{package.name} {package.version}: {each}, see https://osv.dev/{each}"
        for package, ids in sorted(known.items())
        for each in ids
        if each not in ACCEPTED
    ]


def check(address: str = OSV) -> int:
    """Print what was found; 1 if it is anything."""
    packages = sorted({each for name in LOCKS for each in locked(ROOT / name)} | built_with(ROOT / CONSOLE))
    try:
        lines = told(found_by(address, packages))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(
            f"Known vulnerabilities: NOT CHECKED, {address} can't be asked ({error}). Nothing is known to be wrong or right."
        )
        return 0
    for line in lines:
        print(line)
    print(f"Known vulnerabilities: {len(lines)} in {len(packages)} packages.")
    if lines:
        print(
            "Lock a version without them (`make lock`), or say in ACCEPTED of deploy/packages.py why one does no harm here."
        )
    return int(bool(lines))


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for."""
    if list(arguments) == ["sbom"]:
        print(json.dumps(bill(), indent=2))
        return 0
    if list(arguments) == ["check"]:
        return check()
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
