"""The APIs of this repository: the jobs of datamodel-codegen in `pyproject.toml` are their one list."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Api:
    """Where the files of one API stand, relative to the repository."""

    name: str  # such as "user" or "ibm-runtime"
    bundle: Path  # oas/<family>/<api>/openapi.yaml
    models: Path  # backend/qumulus/apis/<family>/<api>/schemas

    @property
    def root(self) -> Path:
        """Return the file that the bundle is made from."""
        return self.bundle.with_name("root.yaml")

    @property
    def document(self) -> Path:
        """Return the bundle as JSON inside the package, which is what the server reads."""
        return self.models / "openapi.json"


class UnknownApi(ValueError):
    """No job has that name."""


def apis(names: Sequence[str] = (), repository: Path = REPOSITORY) -> tuple[Api, ...]:
    """Return the APIs called ``names``, or all of them.

    Raises:
        UnknownApi: the text lists the names there are.
    """
    settings = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["datamodel-codegen"]
    by_name = {
        name: Api(name, Path(job["input"]), Path(job["output"])) for name, job in settings.get("jobs", {}).items()
    }
    if unknown := [name for name in names if name not in by_name]:
        raise UnknownApi(f"There is no API named {', '.join(unknown)}: the names are {', '.join(by_name)}.")
    return tuple(by_name[name] for name in names or by_name)
