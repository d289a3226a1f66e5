"""What an engine says of its device."""

from __future__ import annotations

import secrets
from dataclasses import replace

from pydantic import MISSING

from qumulus.apis.dependencies import DeviceImports, Devices, DeviceSettingsStore
from qumulus.apis.oqtopus import device_files
from qumulus.apis.oqtopus.names import name_of
from qumulus.core.devices import Device, DeviceReport
from qumulus.openapi.contract import Operations

from .callers import Caller, Uploads
from .errors import KnownCalibration
from .schemas.device import (
    DeviceId,
    DeviceInfoUpdate,
    DeviceInfoUpload,
    DeviceStatus,
    DeviceStatusUpdate,
    DeviceUpdate,
)
from .schemas.success import SuccessResponse

operation = Operations()


@operation("patchDevice")
def patch_device(
    device_id: DeviceId, body: DeviceUpdate, caller: Caller, devices: Devices, device_settings: DeviceSettingsStore
) -> SuccessResponse:
    device = devices.device(device_id).name
    device_settings.set_report(device, replace(device_settings.report(device), n_qubits=body.n_qubits))
    return SuccessResponse(message="Device is successfully updated.")


@operation("patchDeviceStatus")
def patch_device_status(
    device_id: DeviceId,
    body: DeviceStatusUpdate,
    caller: Caller,
    devices: Devices,
    device_settings: DeviceSettingsStore,
) -> SuccessResponse:
    device = devices.device(device_id).name
    device_settings.set(device, replace(device_settings.stored(device), online=body.status is DeviceStatus.AVAILABLE))
    return SuccessResponse(message="Device's data updated")


@operation("patchDeviceInfo")
def patch_device_info(
    device_id: DeviceId,
    body: DeviceInfoUpdate,
    caller: Caller,
    devices: Devices,
    imports: DeviceImports,
    device_settings: DeviceSettingsStore,
) -> SuccessResponse:
    device = devices.device(device_id)
    report = _reported(body, device, device_settings)
    device_settings.set_report(device.name, report)
    hindered = device_files.learn_report(device.name, report, imports)
    return SuccessResponse(message=f"Device's data updated{hindered and f'. {hindered}'}")


@operation("getDeviceInfoUpload")
def get_device_info_upload(device_id: DeviceId, caller: Caller, devices: Devices, uploads: Uploads) -> DeviceInfoUpload:
    upload_id = secrets.token_hex(16)
    address = uploads(f"devices/{name_of(devices.device(device_id))}/{upload_id}/{device_files.NAME}")
    return DeviceInfoUpload(upload_id=upload_id, presigned_url=address)


def _reported(body: DeviceInfoUpdate, device: Device, device_settings: DeviceSettingsStore) -> DeviceReport:
    """What is known after the report, in whichever of its three generations it comes.

    Raises:
        KnownCalibration: an upload is said to be of a time of which there is information already.
        NotFound: the upload that it names is not there.
    """
    known = device_settings.report(device.name)
    at = known.calibrated_at if body.calibrated_at is MISSING else body.calibrated_at
    if body.device_info is not MISSING:
        text = body.device_info
        return replace(known, calibrated_at=at, information=None if text is None else text.encode())
    upload_id = None if body.upload_id is MISSING else body.upload_id
    if upload_id is not None and body.calibrated_at is not MISSING and known.calibrated_at == at:
        raise KnownCalibration(name_of(device))
    content = device_files.uploaded(device.name, upload_id, device_settings)
    return replace(known, calibrated_at=at, information=content or known.information)
