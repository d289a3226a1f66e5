"""Devices that somebody added, with their calibrations: lists in memory, read again when another process has written."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select

from qumulus.core.devices import AddedDevice, Calibration, DescribedDevice, from_values, to_values
from qumulus.core.errors import UnknownCalibration, UnknownDevice, WrongState
from qumulus.core.jobs import PENDING

from .database.database import Database
from .database.tables import added_devices, device_calibrations, emulation, jobs

PENDING_STATES = sorted(state.value for state in PENDING)
MADE = "calibrations"  # the kind of what is kept of those that were made up
KEPT_DOCUMENTS = 16  # in memory: one takes some 5 MB


class SqlAddedDevices:
    """`core.ports.AddedDevices` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[str, AddedDevice] | None = None
        self._parsed = lru_cache(maxsize=KEPT_DOCUMENTS)(self._read)

    def all(self) -> Mapping[str, AddedDevice]:
        """Return all of them by name. See `AddedDevices.all`."""
        known = self._known
        if known is None:
            with self._database.read() as connection:
                rows = connection.execute(select(added_devices.c.name, added_devices.c.about)).all()
                series = _series(connection) if rows else {}
            known = {
                row.name: AddedDevice(device=from_values(row.about), series=series[row.name])
                for row in rows
                if row.name in series
            }
            self._known = known
        return known

    def configuration(self, device: str) -> Mapping[str, Any]:
        """Return the configuration of one of them. See `AddedDevices.configuration`."""
        known = self.all().get(device)
        if known is None:
            raise UnknownDevice(device)
        return self._parsed(device, None, known.series[-1].id)

    def properties(self, device: str, calibration_id: str) -> Mapping[str, Any]:
        """Return the document of a calibration. See `AddedDevices.properties`."""
        return self._parsed(device, calibration_id, None)

    def add(self, added: DescribedDevice, *, made: Collection[str] = ()) -> None:
        """Add a device or to its calibrations; of one moment, the last counts. See `AddedDevices.add`."""
        name, columns = added.device.name, device_calibrations.c

        def work(connection: Connection) -> None:
            calibrations = {each.id: each for each in added.calibrations}  # of one moment they have one id
            connection.execute(delete(device_calibrations).where(columns.device == name, columns.id.in_(calibrations)))
            here = added_devices.c.name == name
            known = connection.execute(select(exists().where(here))).scalar()
            note_made(connection, name, made, whole=not known)
            values = {"about": to_values(added.device), "configuration": _packed(added.configuration)}
            if known:
                connection.execute(added_devices.update().where(here).values(**values))
            else:
                connection.execute(insert(added_devices).values(name=name, **values))
            for each in calibrations.values():
                row = {"device": name, "id": each.id, "at": each.at, "properties": _packed(each.properties)}
                connection.execute(insert(device_calibrations).values(**row))

        self._written(work)

    def remove(self, device: str) -> None:
        """Remove one of them. See `AddedDevices.remove`."""

        def work(connection: Connection) -> None:
            _refuse_pending(connection, device)
            connection.execute(delete(emulation).where(_made_of(device)))
            connection.execute(delete(device_calibrations).where(device_calibrations.c.device == device))
            if not connection.execute(delete(added_devices).where(added_devices.c.name == device)).rowcount:
                raise UnknownDevice(device)

        self._written(work)

    def unmake(self, device: str) -> bool:
        """Remove the calibrations of a device that were made up. See `AddedDevices.unmake`."""

        def work(connection: Connection) -> bool:
            if device not in made_calibrations(connection):
                return False
            _refuse_pending(connection, device)
            forget_made(connection, device)
            return True

        found = self._database.writer.run(work)
        self._database.announce()
        self.forget()
        return found

    def forget(self) -> None:
        """Drop the list in memory: the next question reads it again. Documents never change under their ids."""
        self._known = None

    def _written(self, work: Any) -> None:
        self._database.writer.run(work)
        self._database.announce()
        self.forget()

    def _read(self, device: str, calibration_id: str | None, _as_of: object) -> Mapping[str, Any]:
        if calibration_id is None:
            wanted = select(added_devices.c.configuration).where(added_devices.c.name == device)
        else:
            columns = device_calibrations.c
            wanted = select(columns.properties).where(columns.device == device, columns.id == calibration_id)
        with self._database.read() as connection:
            value = connection.execute(wanted).scalar()
        if value is None:
            raise UnknownDevice(device) if calibration_id is None else UnknownCalibration(device, calibration_id)
        return json.loads(zlib.decompress(value))


def _made_of(device: str) -> ColumnElement[bool]:
    return and_(emulation.c.kind == MADE, emulation.c.name == device)


def made_calibrations(connection: Connection) -> dict[str, Any]:
    """Return by device which calibrations were made up (``ids``), and whether there is nothing of it but these (``whole``)."""
    wanted = select(emulation.c.name, emulation.c.value).where(emulation.c.kind == MADE)
    return {row.name: row.value for row in connection.execute(wanted)}


def note_made(connection: Connection, device: str, ids: Collection[str], *, whole: bool) -> None:
    """Keep which calibrations of a device are made up, so that these can be forgotten and others stay."""
    known = made_calibrations(connection).get(device)
    if not ids and known is None:
        return
    before, alone = (known["ids"], known["whole"]) if known else ([], whole)
    value = {"ids": [*before, *ids], "whole": alone and bool(ids)}
    connection.execute(delete(emulation).where(_made_of(device)))
    connection.execute(insert(emulation).values(kind=MADE, name=device, value=value))


def forget_made(connection: Connection, device: str) -> None:
    """Remove the calibrations of a device that were made up, and the device where there is nothing else of it."""
    known, columns = made_calibrations(connection)[device], device_calibrations.c
    ours = columns.device == device
    connection.execute(
        delete(device_calibrations).where(ours if known["whole"] else and_(ours, columns.id.in_(known["ids"])))
    )
    if known["whole"]:
        connection.execute(delete(added_devices).where(added_devices.c.name == device))
    connection.execute(delete(emulation).where(_made_of(device)))


def _refuse_pending(connection: Connection, device: str) -> None:
    pending = select(func.count()).where(jobs.c.device == device, jobs.c.state.in_(PENDING_STATES))
    if count := connection.execute(pending).scalar_one():
        raise WrongState(f"{count} jobs of {device} wait or run: cancel them first.")


def _series(connection: Connection) -> dict[str, tuple[Calibration, ...]]:
    """The calibrations of each device, oldest first."""
    columns = device_calibrations.c
    result: dict[str, list[Calibration]] = {}
    for row in connection.execute(select(columns.device, columns.id, columns.at).order_by(columns.at)):
        result.setdefault(row.device, []).append(Calibration(id=row.id, device=row.device, at=row.at))
    return {device: tuple(series) for device, series in result.items()}


def _packed(document: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())
