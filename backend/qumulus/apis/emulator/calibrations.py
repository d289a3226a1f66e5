"""Calibrations that follow each other."""

from __future__ import annotations

from datetime import timedelta

from qumulus.apis.dependencies import Clock, DeviceImports, Seeds
from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.apis.given import given
from qumulus.emulation import calibrations as emulation
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.calibrations import NewSeries, Series
from .schemas.devices import DeviceName
from .translate import calibrations as translate

operation = Operations()


@operation("listCalibrations")
def list_calibrations(
    device: DeviceName, administrator: Administrator, catalogue: Catalogue, imports: DeviceImports, clock: Clock
) -> Series:
    """All of a device."""
    name = catalogue.device(device).name
    return translate.series(name, imports.series(name), clock.now())


@operation("addCalibrations")
def add_calibrations(
    device: DeviceName,
    body: NewSeries,
    administrator: Administrator,
    catalogue: Catalogue,
    imports: DeviceImports,
    clock: Clock,
    seeds: Seeds,
) -> Series:
    """Some more."""
    name, now = catalogue.device(device).name, clock.now()
    begins_at = now + timedelta(hours=given(body.first_after_hours, body.every_hours))
    made = emulation.series(imports.measured(name), translate.setting(name, body, seeds), begins_at)
    return translate.series(name, imports.add_series(name, made), now)


@operation("removeCalibrations")
def remove_calibrations(
    device: DeviceName, administrator: Administrator, catalogue: Catalogue, imports: DeviceImports
) -> None:
    """Those that were added."""
    imports.remove_series(catalogue.device(device).name)
