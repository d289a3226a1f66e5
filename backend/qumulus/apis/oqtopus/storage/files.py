"""Uploads and downloads."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.apis.oqtopus import device_files
from qumulus.apis.oqtopus.presigning import Presigning
from qumulus.core.errors import NotFound
from qumulus.openapi.contract import Operations

from .schemas.file import DeviceId, Expires, FileName, JobId, Signature, Upload

operation = Operations()


class NoSuchKey(NotFound):
    """The key names neither a job's nor a device's file."""

    def __init__(self) -> None:
        super().__init__("There is no such file: ask for its address again.")


def _presigning(request: Request) -> Presigning:
    return request.app.state.presigning


Signed = Annotated[Presigning, Depends(_presigning)]


@operation("uploadFile")
def upload_file(
    body: Upload, presigning: Signed, jobs: Jobs, devices: Devices, device_settings: DeviceSettingsStore
) -> None:
    presigning.check_upload(body.key, body.policy, body.signature)
    owner, _, name = body.key.partition("/")
    if owner == "devices":
        device_files.keep(name, body.file, devices, device_settings)
    else:
        jobs.attach(owner, name, body.file)


@operation("downloadJobFile")
def download_job_file(
    job_id: JobId, file_name: FileName, expires: Expires, signature: Signature, presigning: Signed, jobs: Jobs
) -> bytes:
    presigning.check_download(f"{job_id}/{file_name}", expires, signature)
    return jobs.file(job_id, file_name)


@operation("downloadDeviceFile")
def download_device_file(
    device_id: DeviceId,
    file_name: FileName,
    expires: Expires,
    signature: Signature,
    presigning: Signed,
    devices: Devices,
    device_settings: DeviceSettingsStore,
) -> bytes:
    presigning.check_download(f"devices/{device_id}/{file_name}", expires, signature)
    if file_name != device_files.NAME:
        raise NoSuchKey
    return device_files.packed(device_id, devices, device_settings)
