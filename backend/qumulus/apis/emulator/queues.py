"""The queues that others cause."""

from __future__ import annotations

from qumulus.apis.dependencies import Clock, DeviceSettingsStore, Seeds
from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.devices import DeviceName
from .schemas.queues import Queue, Queues, QueueSetting
from .translate import queues as translate

operation = Operations()


@operation("listQueues")
def list_queues(administrator: Administrator, device_settings: DeviceSettingsStore, clock: Clock) -> Queues:
    """All of them."""
    now = clock.now()
    known = sorted(device_settings.queues().items())
    return Queues(queues=[translate.queue(device, queue, now) for device, queue in known])


@operation("setQueue")
def set_queue(
    device: DeviceName,
    body: QueueSetting,
    administrator: Administrator,
    catalogue: Catalogue,
    device_settings: DeviceSettingsStore,
    clock: Clock,
    seeds: Seeds,
) -> Queue:
    """Begin one."""
    name, now = catalogue.device(device).name, clock.now()
    return translate.queue(name, device_settings.set_queue(name, translate.core_setting(name, body, seeds), now), now)


@operation("removeQueue")
def remove_queue(
    device: DeviceName, administrator: Administrator, catalogue: Catalogue, device_settings: DeviceSettingsStore
) -> None:
    """End one."""
    device_settings.remove_queue(catalogue.device(device).name)
