"""What runs a service: an interpreter with its packages or, for a container, a root with its command."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from qumulus.core.services import Service

from .definition import Definition
from .environments import Environments
from .execution import Executable
from .images import Images


class Executables:
    """The environments and images of services, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._environments = Environments((folder / "environments").absolute())
        self._images = Images((folder / "images").absolute())

    def ready(self, read: Definition, version: str) -> bool:
        """Say whether a service can run at once."""
        return self._images.ready(version) if read.container else self._environments.ready(read.requirements)

    def make(self, read: Definition, service: Service, place: Path) -> None:
        """Install the packages of a service, or build its image. ``place`` has its files.

        Raises:
            NotInstalled: with what the installer said.
        """
        if read.container:
            self._images.make(service.version, service.name, place)
        else:
            self._environments.make(read.requirements, place)

    def executable(self, read: Definition, version: str, place: Path) -> Executable:
        """Return what runs a service that is ready."""
        return Executable(
            folder=place.absolute(),
            entrypoint=read.entrypoint,
            python=Path(sys.executable) if read.container else self._environments.python(read.requirements),
            prefixes=self._environments.prefixes(read.requirements),
            strict=read.strict,
            image=self._images.image(version) if read.container else None,
            resources=read.resources,
        )

    def forget(self, name: str) -> None:
        """Remove what is kept for the next build of a service that is built no more."""
        self._images.forget(name)

    def tidy(self, names: Collection[str]) -> None:
        """Remove what is kept for the next build of any but these services."""
        for name in self._images.tagged():
            if name not in names:
                self._images.forget(name)

    def remove(self, version: str) -> None:
        """Remove what belongs to one version alone."""
        self._images.remove(version)
