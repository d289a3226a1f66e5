"""What every program can import, as on the platform, whose image has it beside what a service asks for."""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path

PACKAGES = ("loguru",)  # pure Python without dependencies, which the server has itself


def complete(site_packages: Path) -> None:
    """Copy what is missing into the packages of an environment; what a service has asked for itself stays as it is."""
    for name in PACKAGES:
        if any(site_packages.glob(f"{name}-*.dist-info")):
            continue
        found = distribution(name)
        for file in found.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = site_packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
