"""Data pools and their files, where processes share a database and no folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

from sqlalchemy import Connection, delete, insert, select, update

from qumulus.core.errors import UnknownFile, UnknownPool
from qumulus.core.pools import About
from qumulus.core.ports import BlobStore, PoolRecord, StoredFile

from .database.database import Database
from .database.tables import AnyRow, data_pools, pool_files
from .jobs.values import Values

BATCH_FILES, BATCH_BYTES = 256, 4 << 20  # of a transaction: others wait for it


class SqlPools:
    """`core.ports.PoolStore` on the database."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._values = Values(blobs)

    def pools(self) -> Sequence[PoolRecord]:
        """Return all data pools."""
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(select(data_pools))]

    def pool(self, pool_id: str) -> PoolRecord:
        """Return the data pool. See `PoolStore.pool`."""
        with self._database.read() as connection:
            row = connection.execute(select(data_pools).where(data_pools.c.id == pool_id)).first()
        if row is None:
            raise UnknownPool(pool_id)
        return _record(row)

    def put(self, pool: PoolRecord) -> None:
        """Make a data pool, or change what people say of one."""
        values = {"account": pool.account, "about": asdict(pool.about), "created_at": pool.created_at}

        def work(connection: Connection) -> None:
            changed = connection.execute(update(data_pools).where(data_pools.c.id == pool.id).values(**values))
            if not changed.rowcount:
                connection.execute(insert(data_pools).values(id=pool.id, **values))

        self._database.writer.run(work)

    def remove(self, pool_id: str) -> None:
        """Remove a data pool with its files."""

        def work(connection: Connection) -> list[str | None]:
            files = delete(pool_files).where(pool_files.c.pool == pool_id).returning(pool_files.c.blob)
            keys = list(connection.execute(files).scalars())
            connection.execute(delete(data_pools).where(data_pools.c.id == pool_id))
            return keys

        self._values.drop(self._database.writer.run(work))

    def files(self, pool_id: str) -> Sequence[StoredFile]:
        """Return the files of a data pool, sorted by name."""
        wanted = select(pool_files.c.name, pool_files.c.size, pool_files.c.changed_at)
        with self._database.read() as connection:
            rows = connection.execute(wanted.where(pool_files.c.pool == pool_id).order_by(pool_files.c.name))
            return [StoredFile(**row._mapping) for row in rows]

    def add(self, pool_id: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Keep files. See `PoolStore.add`."""
        for some in _batches(files):
            self._add(pool_id, some)

    def _add(self, pool_id: str, files: Mapping[str, bytes]) -> None:
        """Keep files: all of them, or none."""
        same = {"pool": pool_id, "changed_at": self._database.clock.wall()}
        with ExitStack() as stack:
            rows = []
            for name, content in files.items():
                in_row, key = stack.enter_context(self._values.stored(content))
                rows.append({**same, "name": name, "size": len(content), "value": in_row, "blob": key})

            def work(connection: Connection) -> list[str | None]:
                if connection.execute(select(data_pools.c.id).where(data_pools.c.id == pool_id)).first() is None:
                    raise UnknownPool(pool_id)
                before = _gone(connection, pool_id, files)
                connection.execute(insert(pool_files), rows)
                return before

            before = self._database.writer.run(work)
        self._values.drop(before)

    def content(self, pool_id: str, name: str) -> bytes:
        """Return the content of a file. See `PoolStore.content`."""
        wanted = select(pool_files.c.value, pool_files.c.blob)
        its = (pool_files.c.pool == pool_id) & (pool_files.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(wanted.where(its)).first()
        if row is None:
            raise UnknownFile(name)
        try:
            return self._values.load(*row)
        except FileNotFoundError:  # replaced meanwhile
            raise UnknownFile(name) from None

    def discard(self, pool_id: str, names: Iterable[str]) -> None:
        """Remove files; nothing happens where there are none."""
        for some in _batches((name, b"") for name in names):
            self._values.drop(self._database.writer.run(partial(_gone, pool_id=pool_id, names=some)))


def _batches(files: Iterable[tuple[str, bytes]]) -> Iterator[Mapping[str, bytes]]:
    """Yield files in the groups in which they go into a transaction."""
    some, size = dict[str, bytes](), 0
    for name, content in files:
        some[name], size = content, size + len(content)
        if len(some) == BATCH_FILES or size > BATCH_BYTES:
            yield some
            some, size = {}, 0
    if some:
        yield some


def _gone(connection: Connection, pool_id: str, names: Iterable[str]) -> list[str | None]:
    """Remove files, and return the keys of their blobs."""
    these = (pool_files.c.pool == pool_id) & pool_files.c.name.in_(list(names))
    return list(connection.execute(delete(pool_files).where(these).returning(pool_files.c.blob)).scalars())


def _record(row: AnyRow) -> PoolRecord:
    said = dict(row.about)
    about = About(tags=tuple(said.pop("tags")), **said)
    return PoolRecord(id=row.id, account=row.account, about=about, created_at=row.created_at)
