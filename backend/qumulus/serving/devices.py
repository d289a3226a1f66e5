"""The devices of a server: those of the package, those that were added, and which of them are offered."""

from __future__ import annotations

from pathlib import Path

from qumulus.catalogue import (
    AddedCatalogue,
    CombinedCatalogue,
    FleetCatalogue,
    Imports,
    SnapshotCatalogue,
    files,
    fleet,
)
from qumulus.core.errors import InvalidRequest
from qumulus.core.ports import AddedDevices, Clock
from qumulus.emulation.broken import SentToWorkers
from qumulus.storage import Storage

from .start_error import StartError


def sent(storage: Storage) -> SentToWorkers:
    """Return the devices that come along with jobs: added ones, and those that faults break."""
    every = CombinedCatalogue(AddedCatalogue(storage.added_devices, storage.clock.now), SnapshotCatalogue())
    return SentToWorkers(storage.added_devices, every, storage.faults)


def catalogue(
    offered: str, added: AddedDevices, clock: Clock, *, show_mocks: bool = False
) -> tuple[FleetCatalogue, Imports]:
    """Return the devices that a setting offers and those that were ``added``, and how more are added.

    Raises:
        StartError: the setting names what is not there.
    """
    every = CombinedCatalogue(AddedCatalogue(added, clock.now), SnapshotCatalogue(show_mocks=show_mocks))
    imports = Imports(every, added)
    try:
        folder = Path(offered)
        if offered.strip() and folder.is_dir():
            names: frozenset[str] | None = frozenset(each.name for each in imports.add(files.documents([folder])))
        else:
            names = fleet.names(offered, every)
    except InvalidRequest as error:
        raise StartError(f"The fleet can't be had: {error.message}") from error
    return FleetCatalogue(every, names, always=lambda: added.all()), imports
