"""Settings of devices and what their engines report, kept in memory and read again when another process has written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from qumulus.core.devices import DeviceReport, DeviceSettings
from qumulus.core.faults import Fault, overlaid
from qumulus.core.ports import Clock
from qumulus.core.queues import OthersQueue, QueueSetting

from .database.database import Database
from .database.tables import device_reports, device_settings
from .device_queues import SqlDeviceQueues
from .faults import SqlFaults
from .jobs import waits

NOTHING = DeviceReport()
DEFAULTS = DeviceSettings()
REPORT_COLUMNS = tuple(device_reports.c[field.name] for field in fields(DeviceReport))
COLUMNS = tuple(device_settings.c[field.name] for field in fields(DeviceSettings))


class SqlDeviceSettings:
    """`core.ports.DeviceSettingsStore` on the database."""

    def __init__(self, database: Database, faults: SqlFaults, clock: Clock) -> None:
        self._clock = clock
        self._faults = faults
        self._database = database
        self._known: dict[str, DeviceSettings] | None = None
        self._reports: dict[str, DeviceReport] = {}
        self._queues = SqlDeviceQueues(database)

    def settings(self, device: str) -> DeviceSettings:
        """Return what holds for a device: what was set, under the faults that are in force."""
        return overlaid(self.stored(device), self._faults.of_device(device))

    def taken_off(self, device: str) -> Fault | None:
        """Return the fault by which a device takes no jobs now."""
        return next(reversed(self._faults.taking_off(device)), None)

    def stored(self, device: str) -> DeviceSettings:
        """Return what was set for a device; the defaults where nothing was."""
        return self._all().get(device, DEFAULTS)

    def _all(self) -> dict[str, DeviceSettings]:
        by_device = self._known
        if by_device is None:
            with self._database.read() as connection:
                rows = connection.execute(select(device_settings.c.device, *COLUMNS))
                by_device = {
                    row.device: DeviceSettings(**dict(zip(row._fields[1:], row[1:], strict=True))) for row in rows
                }
            self._known = by_device
        return by_device

    def set(self, device: str, settings: DeviceSettings) -> None:
        """Set all of a device's settings."""
        was_online = self.settings(device).online

        def work(connection: Connection) -> None:
            connection.execute(delete(device_settings).where(device_settings.c.device == device))
            connection.execute(insert(device_settings).values(device=device, **asdict(settings)))
            if was_online:
                waits.tell(connection, device, settings, self._clock.now())

        self._database.writer.run(work)
        self._database.announce()
        self.forget()

    def queue(self, device: str) -> OthersQueue | None:
        """Return the queue that others cause at a device. See `DeviceRules.queue`."""
        return self._queues.queue(device)

    def queues(self) -> Mapping[str, OthersQueue]:
        """Return all queues that others cause, by device."""
        return {device: queue for device, (_, queue) in self._queues.all().items()}

    def set_queue(self, device: str, setting: QueueSetting, since: datetime) -> OthersQueue:
        """Let others queue at a device. See `DeviceSettingsStore.set_queue`."""
        self.set(device, replace(self.stored(device), one_at_a_time=True))
        return self._queues.set(device, setting, since)

    def remove_queue(self, device: str) -> None:
        """Let nobody else be served."""
        self._queues.remove(device)

    def report(self, device: str) -> DeviceReport:
        """Return what its own engine reported of a device; an empty report where it never did."""
        if device not in self._reports:
            with self._database.read() as connection:
                wanted = select(*REPORT_COLUMNS).where(device_reports.c.device == device)
                row = connection.execute(wanted).first()
            self._reports[device] = DeviceReport(**dict(row._mapping)) if row else DeviceReport()
        return self._reports[device]

    def set_report(self, device: str, report: DeviceReport) -> None:
        """Replace all that was said of a device."""

        def work(connection: Connection) -> None:
            connection.execute(delete(device_reports).where(device_reports.c.device == device))
            if report != NOTHING:
                values = {column.name: getattr(report, column.name) for column in REPORT_COLUMNS}
                connection.execute(insert(device_reports).values(device=device, **values))

        self._database.writer.run(work)
        self._database.announce()
        self.forget()

    def forget(self) -> None:
        """Drop the settings in memory: the next question reads them again."""
        self._known = None
        self._reports = {}
        self._queues.forget()
