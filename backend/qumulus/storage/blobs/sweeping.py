"""Removing the large values that no row names, while other processes write.

A value is stored before the row that names it, so one without a row may have its row on its way. None is on its way for an
hour: what is older, and is named by no row, was left by a process that ended in between.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice

from sqlalchemy import select

from qumulus.core.errors import Unavailable
from qumulus.core.ports import BlobStore
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import NAMING_BLOBS

log = logging.getLogger("qumulus.storage")

AGE = timedelta(hours=1)
EVERY_SECONDS = 3600.0
SOME = 500  # keys that are asked for at once


def sweep(database: Database, blobs: BlobStore, age: timedelta = AGE) -> int:
    """Remove the values that are so old and that no row names; how many there were.

    Raises:
        Unavailable: the store or the database can't be used now.
    """
    removed = 0
    old = iter(blobs.old(age))
    while keys := list(islice(old, SOME)):
        for key in set(keys) - named(database, keys):
            blobs.delete(key)
            removed += 1
    return removed


def named(database: Database, keys: Iterable[str]) -> set[str]:
    """Return those among the keys that some row names."""
    wanted = list(keys)
    with database.read() as connection:
        return {
            key
            for column in NAMING_BLOBS
            for key in connection.execute(select(column).where(column.in_(wanted))).scalars()
        }


class Sweeper:
    """Sweeps now and then, in the background. Several processes may: each chooses its own moments."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="qumulus-sweeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sweep no more."""
        self._closing.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._closing.wait(EVERY_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311
            try:
                count = sweep(self._database, self._blobs)
            except Unavailable as error:
                log.warning("Values that no row names can't be swept now: %s", error)
            except Exception:  # a mistake of ours must not end the sweeping
                log.exception("Values that no row names can't be swept because of an error of ours.")
            else:
                log.info("%d large values that no row named were removed.", count)
