"""The files of services on this machine, each version unpacked when it is first needed, and gone when nothing needs it any more."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from qumulus.core.clock import SystemClock
from qumulus.core.ports import Deployed, ServiceStore

from . import archive
from .execution import Pool
from .folders import remove
from .pool_folder import full_disk

POOLS = "datapool"
FILLED = (errno.ENOTEMPTY, errno.EEXIST)  # a folder that has files can't be replaced by another one
SWEPT_SECONDS = 3600.0  # a version that was unpacked so recently may be about to be deployed


class Unpacked:
    """The files of versions, a folder each."""

    def __init__(self, folder: Path, store: ServiceStore, also: Callable[[str], None]) -> None:
        """``also`` removes what else there is of a version that is not needed any more."""
        self._folder = folder
        self._store = store
        self._also = also
        self._in_use: Counter[str] = Counter()
        self._lock = threading.Lock()

    def place(self, deployed: Deployed) -> Path:
        """Return where the files of a service are, which are unpacked now if that was not done before.

        Raises:
            UnknownService: another version was deployed meanwhile.
        """
        service = deployed.service
        place = self._folder / service.version
        if not place.is_dir():
            self.unpack(service.version, archive.unzipped(self._store.package(service.name, service.version)))
        return place

    def unpack(self, version: str, files: Mapping[str, bytes]) -> Path:
        """Unpack all files or none.

        Raises:
            StorageFull
            OSError: this machine does not allow it.
        """
        place = self._folder / version
        if place.is_dir():
            return place
        aside = place.with_name(f".{version}-{os.getpid()}-{threading.get_ident()}")
        try:
            with full_disk():
                aside.mkdir(parents=True)
                archive.unpack(files, aside)
                try:
                    aside.rename(place)
                except OSError as error:
                    if error.errno not in FILLED:  # else somebody else unpacked the same
                        raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return place

    @contextlib.contextmanager
    def used(self, version: str) -> Generator[None]:
        """Keep the files of a version."""
        with self._lock:
            self._in_use[version] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use[version] -= 1

    def sweep(self) -> None:
        """Remove the versions that are neither deployed nor running; for who runs executions, and knows the latter."""
        long_ago = SystemClock().wall().timestamp() - SWEPT_SECONDS
        with self._lock:
            old = [place for place in self._folder.glob("[!.]*/") if place.stat().st_mtime < long_ago]
            kept = {deployed.service.version for deployed in self._store.all()} if old else set()
            for place in old:
                if place.name not in kept and not self._in_use[place.name]:
                    remove(place)
                    self._also(place.name)


def own_pools(place: Path) -> Mapping[str, Pool]:
    """Return the folders `datapool/<parameter>` that a service brings along, as the vendor's local server takes them."""
    return {
        folder.name: Pool(folder.absolute(), own=True)
        for folder in (place / POOLS).glob("*/")
        if folder.name.isidentifier()
    }
