"""Starting afresh: everything that was done here is forgotten in one transaction."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, func, select

from qumulus.core.events import Events
from qumulus.core.jobs import PENDING, JobState
from qumulus.core.ports import BlobStore, Forgotten

from .accounts import SqlAccounts
from .added_devices import SqlAddedDevices, forget_made, made_calibrations
from .clock import SqlClock
from .database.database import Database
from .database.tables import (
    added_devices,
    applications,
    device_reports,
    device_settings,
    emulation,
    faults,
    jobs,
    log_lines,
    results,
    sealed_secrets,
    sessions,
    subscriptions,
    tokens,
)
from .device_settings import SqlDeviceSettings
from .faults import SqlFaults
from .ids import KIND as IDS
from .ids import LASTING
from .jobs.values import Values

HELD = {JobState.CLAIMED, JobState.RUNNING, JobState.CANCELLING}


class SqlState:
    """`core.ports.State` on the database."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        device_settings: SqlDeviceSettings,
        its_faults: SqlFaults,
        its_devices: SqlAddedDevices,
        accounts: SqlAccounts,
        clock: SqlClock,
        events: Events,
    ) -> None:
        self._database = database
        self._values = Values(blobs)
        self._device_settings = device_settings
        self._faults = its_faults
        self._devices = its_devices
        self._accounts = accounts
        self._clock = clock
        self._events = events

    def reset(self) -> Forgotten:
        """Forget what was done. See `core.ports.State`."""

        def work(connection: Connection) -> tuple[Forgotten, dict[str, str], list[str]]:
            pending = select(jobs.c.id, jobs.c.state).where(jobs.c.state.in_(sorted(PENDING)))
            states = {row.id: row.state for row in connection.execute(pending)}
            keys = select(jobs.c.payload_blob).where(jobs.c.payload_blob.is_not(None))
            blobs = list(connection.execute(keys).scalars())
            blobs += connection.execute(select(results.c.blob).where(results.c.blob.is_not(None))).scalars()
            added = ~tokens.c.built_in
            forgotten = Forgotten(
                jobs=connection.execute(select(func.count()).select_from(jobs)).scalar_one(),
                sessions=connection.execute(select(func.count()).select_from(sessions)).scalar_one(),
                tokens=connection.execute(select(func.count()).select_from(tokens).where(added)).scalar_one(),
            )
            for device in made_calibrations(connection):
                forget_made(connection, device)
            unknown = device_reports.c.device.not_in(select(added_devices.c.name))
            connection.execute(delete(device_reports).where(unknown))
            for table in (
                sealed_secrets,
                subscriptions,
                applications,
                log_lines,
                results,
                jobs,
                sessions,
                device_settings,
                faults,
            ):
                connection.execute(delete(table))
            connection.execute(delete(tokens).where(added))
            lasting = and_(emulation.c.kind == IDS, emulation.c.name.in_(LASTING))
            connection.execute(delete(emulation).where(~lasting))
            return forgotten, states, blobs

        forgotten, states, blobs = self._database.writer.run(work)
        self._device_settings.forget()
        self._faults.look()
        self._devices.forget()
        self._accounts.forget()
        self._clock.forget()
        self._database.announce()
        for job_id, state in states.items():
            (self._events.cancelling if state in HELD else self._events.settled).emit(job_id)
        self._values.drop(blobs)
        return forgotten
