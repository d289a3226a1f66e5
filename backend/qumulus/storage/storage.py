"""Opens all stores of a state folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO

from sqlalchemy import select

from qumulus.core.accounts import Instance
from qumulus.core.clock import SystemClock
from qumulus.core.events import Events
from qumulus.core.keeping import Rules
from qumulus.core.ports import BlobStore, MachineClock
from qumulus.core.seeds import Seeds

from .accounts import SqlAccounts
from .added_devices import SqlAddedDevices
from .announcements import SqlAnnouncements
from .applications import SqlApplications
from .blobs.disk import DiskBlobs
from .blobs.sweeping import Sweeper
from .blobs.table import TableBlobs
from .clock import SqlClock
from .database.database import Database
from .database.schema import prepare
from .database.sqlite import FILE, SqliteDatabase
from .database.tables import NAMING_BLOBS
from .device_settings import SqlDeviceSettings
from .errors import StateUnusable
from .faults import SqlFaults
from .ids import Ids
from .jobs.queue import SqlQueue
from .jobs.sessions import SqlSessions
from .jobs.store import SqlJobs, cancelled
from .jobs.workloads import SqlWorkloads
from .pools import SqlPools
from .retention import Retention
from .secrets import SqlSealed, shared_secret, signing_secret
from .services import SqlServices
from .signing import FILE as SIGNING_KEY
from .state import SqlState
from .trial import Trial
from .usage import Usage

OURS = (FILE, f"{FILE}-wal", f"{FILE}-shm", "blobs", SIGNING_KEY, "dispatcher", "services")  # in the folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The stores of one process on one state folder."""

    home: Path
    jobs: SqlJobs
    queue: SqlQueue
    blobs: BlobStore
    accounts: SqlAccounts
    sessions: SqlSessions
    workloads: SqlWorkloads
    device_settings: SqlDeviceSettings
    applications: SqlApplications
    announcements: SqlAnnouncements
    faults: SqlFaults
    added_devices: SqlAddedDevices
    services: SqlServices
    sealed: SqlSealed
    pools: SqlPools
    state: SqlState
    usage: Usage
    retention: Retention
    trial: Trial
    events: Events  # what is on disk now, told inside this process
    clock: SqlClock
    ids: Ids
    seeds: Seeds
    _database: Database
    _presence: IO[bytes]
    _sweeper: Sweeper | None

    @property
    def shared(self) -> bool:
        """Say whether dispatchers that know nothing of each other may run the jobs: then only a lease tells that one is gone."""
        return self._database.shared

    @property
    def place(self) -> str:
        """Return where the state is, for people; no password is in the text."""
        return self._database.name if self.shared else str(self.home)

    def secret(self, name: str) -> bytes:
        """Return a secret that is drawn when it is first asked for, and the same for all who use this database."""
        return shared_secret(self._database, name)

    def signing_secret(self) -> bytes:
        """What addresses and grants are signed with: all processes on one state have the same."""
        return signing_secret(self.home, self._database)

    def admit(self, account: str, size: int) -> None:
        """See that an account may store ``size`` bytes more.

        Raises:
            QuotaReached
        """
        self.usage.admit(account, size)

    def close(self) -> None:
        """Commit what waits, and let go of the folder."""
        self.retention.close()
        self.accounts.close()
        if self._sweeper is not None:
            self._sweeper.close()
        self._database.close()
        self._presence.close()


def open_storage(
    home: Path,
    *,
    credentials: Iterable[tuple[str, str]] | None = None,
    built_in: Iterable[Instance] = (),
    instances: Iterable[Instance] = (),
    open_to_all: bool = False,
    workers: int = 1,
    seed: int | None = None,
    machine: MachineClock | None = None,
    url: str | None = None,
    blobs_url: str | None = None,
    kept: Rules | None = None,
    quota: Rules | None = None,
) -> Storage:
    """Open, or make, the state in ``home``.

    ``credentials`` are the (scheme, secret) pairs of the built-in account (None: they stay as they are), ``built_in`` its
    instances that can't be removed, ``instances`` more of them;
    ``open_to_all`` lets any credential in; ``workers`` is how many jobs run at once, for estimates; ``seed`` is what ids follow from, if anything; ``url`` names a PostgreSQL
    database to be used instead of SQLite in the folder, ``blobs_url`` a place in an S3 store for large values. ``kept`` says how long
    jobs are kept once `Retention.start` was called, and ``quota`` how much an account may store; None: all, and everything. Several processes may open one folder; one that is alone checks the
    database and sweeps what no row names.

    Raises:
        StateUnusable: the folder can't be used, or the database is damaged.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        presence = (home / "present").open("ab")
    except OSError as error:
        raise StateUnusable(
            f"The folder {home} can't be used: {error.strerror}. Name another one with --home."
        ) from error
    events = Events()
    with ExitStack() as failing:
        failing.callback(presence.close)
        _refuse_what_is_others(home)
        database = open_database(home, url, machine or SystemClock())
        failing.callback(database.close)
        blobs = open_blobs(home, blobs_url, database)
        if isinstance(database, SqliteDatabase):
            _begin(database, blobs, presence, events)
        else:
            prepare(database)
            database.start(events)
        if blobs_url is not None:
            claim_prefix(blobs, database)
        clock = SqlClock(database, events)
        ids, seeds = Ids(database, seed), Seeds(seed)
        faults = SqlFaults(database, clock, ids, seeds)
        events.elsewhere.subscribe(lambda _: faults.look())
        added_devices = SqlAddedDevices(database)
        events.elsewhere.subscribe(lambda _: added_devices.forget())
        device_settings = SqlDeviceSettings(database, faults, clock)
        events.elsewhere.subscribe(lambda _: device_settings.forget())
        accounts = SqlAccounts(
            database,
            clock,
            sealing=partial(signing_secret, home, database),
            open_to_all=open_to_all,
            built_in=built_in,
        )
        events.elsewhere.subscribe(lambda _: accounts.forget())
        accounts.seed(credentials)
        accounts.add_instances(instances)
        failing.pop_all()
    alone = isinstance(database, SqliteDatabase) and isinstance(blobs, DiskBlobs)
    usage = Usage(database, kept=kept, quota=quota)
    queue = SqlQueue(database, blobs, device_settings, added_devices, faults, clock, events)

    def admit(account: str, size: int, *, jobs: int = 0, device: str | None = None) -> None:
        if device is not None:
            accounts.permit(account, device)
        usage.admit(account, size, jobs=jobs)

    said = (database, blobs, device_settings, clock, events, queue.at_once)
    store = SqlJobs(*said, workers=workers, admit=admit, seed=seed)
    return Storage(
        home=home,
        jobs=store,
        queue=queue,
        blobs=blobs,
        accounts=accounts,
        sessions=SqlSessions(database, clock, events, cancelled, store.announce, seed),
        workloads=SqlWorkloads(database, clock),
        device_settings=device_settings,
        applications=SqlApplications(database, clock, ids),
        announcements=SqlAnnouncements(database, clock),
        faults=faults,
        added_devices=added_devices,
        services=SqlServices(database, blobs),
        sealed=SqlSealed(database),
        pools=SqlPools(database, blobs),
        state=SqlState(database, blobs, device_settings, faults, added_devices, accounts, clock, events),
        usage=usage,
        retention=Retention(database, blobs, usage, clock),
        trial=Trial(home, database),
        events=events,
        clock=clock,
        ids=ids,
        seeds=seeds,
        _database=database,
        _presence=presence,
        _sweeper=None if alone else Sweeper(database, blobs),
    )


def _refuse_what_is_others(home: Path) -> None:
    """Refuse a folder in which another user has made files, which nobody must find only when a job needs them, nor take for damaged."""
    for path in (home, *(home / name for name in OURS)):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise StateUnusable(
                f"{path} can't be read and written by the user who starts this: "
                f"give {home} to that user, or name another folder with --home."
            )


def open_database(home: Path, url: str | None, clock: MachineClock) -> Database:
    """Return the database that ``url`` names, or the one in the folder."""
    if url is None:
        return SqliteDatabase(home, clock)
    from .database.urls import parsed

    target = parsed(url)
    from .database.postgres import PostgresDatabase

    return PostgresDatabase(target, clock)


def open_blobs(home: Path, url: str | None, database: Database) -> BlobStore:
    """Open the store of large values: at ``url``, else beside the database, or in it where processes share no disk."""
    if url is not None:
        return open_s3(url)
    if database.shared:
        return TableBlobs(database)
    try:
        return DiskBlobs(home / "blobs")
    except OSError as error:
        raise StateUnusable(
            f"The folder {home / 'blobs'} can't be used: {error.strerror}. Name another one with --home."
        ) from error


def claim_prefix(blobs: BlobStore, database: Database) -> None:
    """Keep the place in a store for the cloud of this database.

    Raises:
        StateUnusable: another cloud has it.
    """
    from .blobs.s3 import S3Blobs

    if isinstance(blobs, S3Blobs):
        blobs.claim(sha256(shared_secret(database, "cloud")).hexdigest().encode())


def open_s3(url: str) -> BlobStore:
    """Return the place in a store that ``url`` names."""
    from .blobs.s3 import S3Blobs, parsed

    return S3Blobs(parsed(url))


def _begin(database: SqliteDatabase, blobs: BlobStore, presence: IO[bytes], events: Events) -> None:
    """Make the database ready; who is alone on the folder checks it, and sweeps the blobs that no row names."""
    alone = _alone(presence)
    if alone and database.path.exists():
        database.check()
    prepare(database)
    database.start(events)
    if alone and isinstance(blobs, DiskBlobs):
        _sweep(database, blobs)
    fcntl.flock(presence, fcntl.LOCK_SH)


def _alone(presence: IO[bytes]) -> bool:
    """Say whether no other process has the folder open. If so, others wait until the lock is shared."""
    try:
        fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(presence, fcntl.LOCK_SH)
        return False
    return True


def _sweep(database: Database, blobs: DiskBlobs) -> None:
    with database.read() as connection:
        named = {
            key
            for column in NAMING_BLOBS
            for key in connection.execute(select(column).where(column.is_not(None))).scalars()
        }
    blobs.sweep(named)
