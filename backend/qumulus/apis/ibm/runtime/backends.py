"""Operations on backends. Those that answer from memory need no thread."""

from __future__ import annotations

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.apis.ibm import names
from qumulus.openapi.contract import Operations, Rendered

from .callers import Caller
from .changes import Change, Version
from .documents import NOTHING, Documents
from .schemas.backend import (
    BackendName,
    BackendsResponse,
    BackendStatus,
    CalibrationId,
    IncludeMocks,
    ListField,
    UpdatedBefore,
)
from .schemas.configuration import BackendConfiguration
from .schemas.defaults import BackendDefaults
from .schemas.properties import PropertiesResponse
from .translate import backends as translate

operation = Operations()


@operation("listBackends")
def list_backends(
    caller: Caller,
    version: Version,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
    documents: Documents,
    fields: ListField | None = None,
    include_mocks: IncludeMocks = False,
) -> BackendsResponse:
    """All devices, with what each is doing."""
    shown = names.devices(devices, mocks=include_mocks)
    if not version.has(Change.DEVICES_ARE_OBJECTS):
        return BackendsResponse(devices=[names.to_wire(device.name) for device in shown])
    pending, mocks = jobs.pending(), names.mocks(devices)
    documents.render_ahead([device.name for device in shown if device.name not in mocks])
    return BackendsResponse(
        devices=[
            translate.device(
                device,
                device_settings.settings(device.name),
                pending.get(device.name, 0),
                mock=device.name in mocks,
                with_wait_time=fields is not None,
            )
            for device in shown
        ]
    )


@operation("getBackendConfiguration")
async def get_backend_configuration(
    id: BackendName,
    caller: Caller,
    devices: Devices,
    documents: Documents,
    calibration_id: CalibrationId | None = None,
) -> Rendered[BackendConfiguration]:
    """What a device can do; it is the same in all its calibrations."""
    device = names.device(devices, id)
    names.calibration_id(devices, device, calibration_id=calibration_id)
    return documents.configuration(device.name)


@operation("getBackendProperties")
async def get_backend_properties(
    id: BackendName,
    caller: Caller,
    devices: Devices,
    documents: Documents,
    calibration_id: CalibrationId | None = None,
    updated_before: UpdatedBefore | None = None,
) -> Rendered[PropertiesResponse]:
    """A calibration of a device; nothing, where there was none yet at the time that is asked for."""
    device = names.device(devices, id)
    chosen = names.calibration_id(devices, device, calibration_id=calibration_id, before=updated_before)
    if updated_before is not None and devices.calibration(device.name, calibration_id=chosen).at > updated_before:
        return NOTHING
    return documents.properties(device.name, chosen)


@operation("getBackendDefaults")
def get_backend_defaults(
    id: BackendName,
    caller: Caller,
    devices: Devices,
) -> BackendDefaults:
    """The frequencies of the newest calibration; everything about pulses is empty."""
    device = names.device(devices, id)
    return translate.defaults(devices.calibration(device.name))


@operation("getBackendStatus")
def get_backend_status(
    id: BackendName,
    caller: Caller,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    jobs: Jobs,
) -> BackendStatus:
    """Whether a device takes jobs, and how many it has."""
    device = names.device(devices, id)
    return translate.status(
        device, device_settings.settings(device.name), jobs.pending(device.name).get(device.name, 0)
    )
