"""The places of payloads and results: in a row, or in a blob that the row names."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from qumulus.core.errors import QumulusError, Unavailable
from qumulus.core.ports import BlobStore
from qumulus.core.waits import waits
from qumulus.storage.blobs.disk import new_key

log = logging.getLogger("qumulus.storage")

IN_ROW_BYTES = 64 * 1024  # of what is written anew with its row, such as a program with the state of its job
RESULT_IN_ROW_BYTES = 256 * 1024  # of what is written once: a file costs two syncs more


class Values:
    """Splits values between rows and blobs."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def put(self, value: bytes, in_row: int = IN_ROW_BYTES) -> tuple[bytes | None, str | None]:
        """Return what the row holds of a value: the value itself, up to ``in_row`` bytes, or the key of a blob that is on disk by now.

        Raises:
            StorageFull
        """
        if len(value) <= in_row:
            return value, None
        waits()
        key = new_key()
        self._blobs.put(key, value)
        return None, key

    @contextmanager
    def stored(self, value: bytes, in_row: int = IN_ROW_BYTES) -> Generator[tuple[bytes | None, str | None]]:
        """`put`, taken back if the row that was to name it is not committed."""
        kept, key = self.put(value, in_row)
        try:
            yield kept, key
        except QumulusError as error:
            if type(error) is not Unavailable:  # after a failing disk nobody knows: a blob without a row is swept later
                self.drop([key])
            raise

    def load(self, in_row: bytes | None, key: str | None) -> bytes:
        """Return the value that a row holds or names."""
        if key is None:
            return in_row or b""
        waits()
        return self._blobs.get(key)

    def link(self, key: str | None, name: str, media_type: str, seconds: int) -> str | None:
        """Return an address at which the store gives a value itself, for some time; None where only we can."""
        return None if key is None else self._blobs.link(key, name, media_type, seconds)

    def drop(self, keys: Iterable[str | None]) -> None:
        """Forget blobs that no row names any more."""
        for key in keys:
            if key is not None:
                try:
                    self._blobs.delete(key)
                except Unavailable:  # nobody names it: it is swept later
                    log.warning("A large value can't be removed now: it is swept later.")
