"""Devices as the core knows them; what each cloud calls them is that family's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class DeviceKind(StrEnum):
    """What a device is."""

    QPU = "qpu"  # simulated with the noise of a calibration
    SIMULATOR = "simulator"  # ideal


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What lists show of a device. Everything larger stands in its calibration."""

    name: str  # the snapshot's folder, such as "brisbane"
    kind: DeviceKind
    n_qubits: int
    basis_gates: tuple[str, ...]
    instructions: tuple[str, ...] = ()
    family: str | None = None  # processor family, such as "Eagle"
    revision: str | None = None
    segment: str | None = None
    version: str = "1.0.0"
    online_at: datetime | None = None
    calibrated_at: datetime | None = None
    max_shots: int = 10_000_000
    quantum_volume: int | None = None
    clops: int | None = None
    two_qubit_error_best: float | None = None
    two_qubit_error_layered: float | None = None
    description: str = ""
    stands_for: str | None = None  # of a mock: the device that its jobs would run on, were they no dry runs


STANDS_FOR, DRY_RUN = "stands_for", "dry_run"
"""What the request of a job on a mock says: for which device it stands, and that nothing is to be executed."""


def calibrated_as(device: str, request: Mapping[str, Any]) -> str:
    """Return the name of the device by whose calibration a job is run: the one that a mock stands for, else its own."""
    return str(request.get(STANDS_FOR, device))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """What an administrator sets for a device."""

    online: bool = True
    message: str = ""
    one_at_a_time: bool = False
    least_queue_seconds: float = 0.0
    least_run_seconds: float = 0.0
    provider: bool = False  # True: jobs wait for an engine that fetches them

    @property
    def at_once(self) -> bool:
        """Say whether a job may run as soon as there is a worker."""
        return not self.one_at_a_time and not self.least_queue_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What a device's own engine says of it. What it says nothing of stays as in the catalogue."""

    n_qubits: int | None = None
    information: bytes | None = field(default=None, repr=False)  # a zip file; nobody opens it here
    calibrated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One calibration of a device. ``id`` is stable; ``properties`` is the snapshot's document."""

    id: str
    device: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedDevice:
    """A device that somebody added: what lists show of it, and its calibrations without their documents, oldest first."""

    device: Device
    series: tuple[Calibration, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedDevice:
    """A device with all its documents: the configuration, and at least one calibration."""

    device: Device
    configuration: Mapping[str, Any] = field(repr=False)
    calibrations: tuple[Calibration, ...] = field(repr=False)


def to_values(device: Device) -> dict[str, Any]:
    """Return a device as JSON has it, without what is not known."""
    values = asdict(device)
    values |= {name: at.isoformat() for name in _TIMES if (at := values[name]) is not None}
    return {name: value for name, value in values.items() if value is not None}


def from_values(values: Mapping[str, Any]) -> Device:
    """Return a device from what `to_values` gave."""
    times = {name: datetime.fromisoformat(values[name]) for name in _TIMES if name in values}
    gates = {name: tuple(values.get(name, ())) for name in ("basis_gates", "instructions")}
    converted: dict[str, Any] = {**values, **times, **gates, "kind": DeviceKind(values["kind"])}
    return Device(**converted)


_TIMES = ("online_at", "calibrated_at")
