"""Serve one device of a cloud from this machine until somebody says to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from qumulus.apis.oqtopus.device_descriptions import described
from qumulus.core.clock import CloudClock, SystemClock
from qumulus.core.devices import Device, DeviceSettings
from qumulus.core.errors import QumulusError
from qumulus.core.events import Events
from qumulus.core.ports import Catalogue
from qumulus.core.programs import Limits
from qumulus.execution import Dispatcher

from .cloud import ProviderCloud
from .remote import RemoteQueue


class NoDeviceSettings:
    """Nothing is set here for a device: the cloud says whether it takes jobs."""

    def settings(self, device: str) -> DeviceSettings:
        """Return the defaults."""
        del device
        return DeviceSettings()

    def queue(self, device: str) -> None:
        """Return nothing: who else is served is the cloud's affair."""


class Jobs:
    """The jobs as a whole, as the dispatcher asks for them; they stand in the cloud."""

    def drain(self) -> None:
        """Nobody sends jobs to this process."""

    def pending(self) -> Mapping[str, int]:
        """Return nothing: how many jobs wait is known to the cloud alone."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """`execution.dispatcher.Stores` whose queue is a cloud's."""

    queue: RemoteQueue
    home: Path = Path()  # nothing is kept on this machine
    shared: bool = True  # several dispatchers may serve a device: the cloud gives each job to one
    jobs: Jobs = field(default_factory=Jobs)
    device_settings: NoDeviceSettings = field(default_factory=NoDeviceSettings)
    events: Events = field(default_factory=Events)
    clock: CloudClock = field(default_factory=lambda: CloudClock(SystemClock()))  # nobody sets it here


def announce(cloud: ProviderCloud, device: Device, devices: Catalogue) -> None:
    """Tell the cloud what the device is, and that the device takes jobs.

    Raises:
        CloudAway, CloudRefused, NoLonger: the key or the device is unknown there.
    """
    cloud.announce("", {"n_qubits": device.n_qubits})
    information: dict[str, str] = {"device_info": described(device, devices)}
    if device.calibrated_at is not None:
        information["calibrated_at"] = device.calibrated_at.isoformat()
    cloud.announce("/device_info", information)
    cloud.announce("/status", {"status": "available"})


def serve(
    cloud: ProviderCloud,
    queue: RemoteQueue,
    *,
    simulated: str,
    workers: int | None,
    limits: Limits,
    noise: str,
    drain_seconds: float,
    stop: threading.Event,
    on_ready: Callable[[int], None],
) -> None:
    """Run the jobs until ``stop`` is set; what does not end within ``drain_seconds`` is handed back then."""
    dispatcher = Dispatcher(Stores(queue=queue), workers=workers, limits=limits, noise=noise, devices=[simulated])
    dispatcher.start()
    try:
        while not dispatcher.ready and not stop.wait(0.1):
            pass
        if not stop.is_set():
            on_ready(dispatcher.workers)
        stop.wait()
    finally:
        with suppress(QumulusError):  # the cloud may be gone
            cloud.announce("/status", {"status": "unavailable"})
        dispatcher.drain(drain_seconds)
        dispatcher.stop()
