"""What has to hold before a release, beyond what `make lint check-generated docs test` say: `make release-check` runs this last.

python deploy/release_check.py [CHECKOUT]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKED = (
    "qumulus/console/files/index.html",
    "qumulus/catalogue/index.json",
    "qumulus/apis/oqtopus/user/schemas/openapi.json",
    "share/man/man1/qumulus.1",
    "licenses/LICENSE",
)
"""The ends of the names of files that a wheel without which would not work, or may not be given away."""


def complaints(checkout: Path) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it has to be."""
    version = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    told = re.search(r'__version__ = "(.*)"', (checkout / "backend" / "qumulus" / "__init__.py").read_text())
    if told is None or told[1] != version:
        yield f"pyproject.toml says {version}, and the package {told and told[1]}: say the same in both."
    yield from changelog((checkout / "docs" / "CHANGELOG.md").read_text(), version)
    if subprocess.check_output(["git", "status", "--porcelain"], cwd=checkout, text=True):
        yield "The tree has changes that no commit has: commit them or take them back."
    if version in subprocess.check_output(["git", "tag", "--list"], cwd=checkout, text=True).split():
        yield f"There is a tag {version}: choose the next version."


def changelog(text: str, version: str) -> Iterator[str]:
    """Yield what the changes lack to be those of a release."""
    newest, _, after = text.partition("\n## ")[2].partition("\n")
    entry = after.partition("\n## ")[0]
    if newest != version:
        yield f"The changes begin with {newest!r}, and the version is {version}: head them with the version, when all is in."
    yield from (f"The changes of {newest} do not say what is {name.lower()}: write **{name}**, if only to say nothing is."
                for name in ("New", "Deprecated") if f"**{name}**" not in entry)  # fmt: skip


def packed(checkout: Path) -> Iterator[str]:
    """Yield what a wheel that is built now lacks."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--python"]
        subprocess.run([*command, sys.executable, "--out-dir", folder], cwd=checkout, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
    yield from (f"The wheel has no {end}." for end in PACKED if not any(name.endswith(end) for name in names))


def main() -> int:
    """Return the exit status: 1 when something is missing."""
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = [*complaints(checkout), *packed(checkout)]
    for line in found or ["All is ready for a release."]:
        print(line)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
