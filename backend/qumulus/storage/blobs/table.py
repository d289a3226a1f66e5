"""Large values in the database, for processes that share no disk and no object store.

A value is committed before the row that names it, as a file is synced before; `blobs` has the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import delete, func, insert, select

from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import large_values

PIECE_BYTES = 16 << 20  # that are read at once: on the wire each byte takes two, which are there beside the bytes


class TableBlobs:
    """`core.ports.BlobStore` in a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: str, value: bytes) -> None:
        """Store a value, which is committed when this returns.

        Raises:
            StorageFull, Unavailable: nothing was stored.
        """
        row = {"key": key, "value": value, "stored_at": self._database.clock.wall()}
        self._database.writer.run(lambda connection: connection.execute(insert(large_values), row))

    def get(self, key: str) -> bytes:
        """Return the value.

        Raises:
            FileNotFoundError: there is none.
        """
        pieces: list[bytes] = []
        with self._database.read() as connection:
            while not pieces or len(pieces[-1]) == PIECE_BYTES:
                piece = func.substring(large_values.c.value, len(pieces) * PIECE_BYTES + 1, PIECE_BYTES)
                found = connection.execute(select(piece).where(large_values.c.key == key)).scalar()
                if found is None:
                    raise FileNotFoundError(key)
                pieces.append(found)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def delete(self, key: str) -> None:
        """Forget a value; nothing happens where there is none."""
        gone = delete(large_values).where(large_values.c.key == key)
        self._database.writer.run(lambda connection: connection.execute(gone))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield all keys that begin with ``prefix``."""
        wanted = select(large_values.c.key).where(large_values.c.key.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            yield from connection.execute(wanted).scalars().all()

    def old(self, age: timedelta) -> Iterator[str]:
        """Yield the keys of values that were stored so long ago."""
        wanted = select(large_values.c.key).where(large_values.c.stored_at <= self._database.clock.wall() - age)
        with self._database.read() as connection:
            yield from connection.execute(wanted).scalars().all()

    def link(self, key: str, name: str, media_type: str, seconds: int) -> None:
        """None: only the server can give a value."""
        del key, name, media_type, seconds
