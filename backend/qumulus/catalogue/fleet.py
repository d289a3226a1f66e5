"""Which devices are offered, and in which order: the fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from qumulus.core.devices import Calibration, Device, DeviceKind
from qumulus.core.errors import InvalidRequest, UnknownDevice
from qumulus.core.ports.devices import Catalogue

from .forms import canonical

ALL, TODAY = "all", "today"
OFFERED_TODAY = ("aachen", "berlin", "boston", "fez", "kingston", "marrakesh", "miami", "pittsburgh")
"""What IBM offers at present, as far as the package of its client has snapshots: those in the service's guide "View backend details" for
client 0.47, and those of the European region that the package calibrated in the same week. Its page of retired QPUs has none of them."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def names(fleet: str, known: Catalogue) -> frozenset[str] | None:
    """Return the core's names of the devices that a setting names, None for all: `all`, `today`, or names, comma-separated.

    Raises:
        InvalidRequest: a device is unknown.
    """
    words = [word.strip() for word in fleet.split(",") if word.strip()]
    if not words:
        raise InvalidRequest("A fleet has to be 'all', 'today', names of devices, or a folder of descriptions.")
    if ALL in words:
        return None
    chosen = {name for word in words for name in (OFFERED_TODAY if word == TODAY else (canonical(word),))}
    for name in sorted(chosen):
        try:
            known.device(name)
        except UnknownDevice as error:
            raise InvalidRequest(f"The fleet names {name!r}: {error.message}") from None
    return frozenset(chosen)


class FleetCatalogue:
    """`core.ports.Catalogue` that offers some of the devices of another one, the largest and newest first; simulators come last.

    The others are known all the same, so that what was done on them can be told.
    """

    def __init__(
        self, catalogue: Catalogue, offered: frozenset[str] | None, always: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """``offered``: names of devices, None for all; ``always``: those that are offered besides."""
        self._catalogue = catalogue
        self._offered = offered
        self._always = always

    def devices(self) -> tuple[Device, ...]:
        """Every device that is offered."""
        found = [device for device in self._catalogue.devices() if self._has(device)]
        return tuple(sorted(found, key=_largest_first))

    def offers(self, name: str) -> bool:
        """Say whether a device may be used. See `Catalogue.offers`."""
        return self._catalogue.offers(name) and self._has(self._catalogue.device(name))

    def mocks(self) -> tuple[Device, ...]:
        """Devices for tests are there whatever is offered."""
        return self._catalogue.mocks()

    def device(self, name: str) -> Device:
        """Every device, offered or not. See `Catalogue.device`."""
        return self._catalogue.device(name)

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """Return a calibration with its document. See `Catalogue.calibration`."""
        return self._catalogue.calibration(device, calibration_id=calibration_id, before=before)

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """Return the id of a calibration. See `Catalogue.calibration_id`."""
        return self._catalogue.calibration_id(device, calibration_id=calibration_id, before=before)

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """Return a device's configuration. See `Catalogue.configuration`."""
        return self._catalogue.configuration(device, fractional_gates=fractional_gates)

    def _has(self, device: Device) -> bool:
        if self._offered is None or device.kind is DeviceKind.SIMULATOR or device.name in self._offered:
            return True
        return device.name in self._always() or device in self._catalogue.mocks()


def _largest_first(device: Device) -> tuple[bool, int, float]:
    since = (device.online_at or _LONG_AGO).timestamp()
    simulator = device.kind is DeviceKind.SIMULATOR
    return simulator, 0 if simulator else -device.n_qubits, 0 if simulator else -since
