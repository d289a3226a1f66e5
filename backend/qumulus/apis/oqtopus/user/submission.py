"""What has to hold before a job is submitted, in upstream's order and words."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from qumulus.apis.oqtopus.job_files import INPUT
from qumulus.apis.oqtopus.names import IDEAL_BESIDE, offered
from qumulus.apis.oqtopus.programs import PROGRAM, TYPE
from qumulus.core.devices import Device
from qumulus.core.errors import DeviceUnavailable, NoResult, UnknownDevice, UnknownJob
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import Catalogue, DeviceSettingsStore, JobStore
from qumulus.core.services import device_beside
from qumulus.payloads.zip_files import pack

from .errors import BadJob, WrongStatus
from .schemas.job import InlineJob, JobStatus, SubmitJobRequest


@dataclass(frozen=True, slots=True)
class Submission:
    """A job with all that it needs."""

    device: Device
    content: bytes  # the uploaded zip file
    provider: bool  # the device's own engine runs it
    sent: bytes | None = None  # the input as JSON, where it came with the request: the answers hold it and the results


def checked(
    job: Job,
    body: SubmitJobRequest,
    sender: str | None,
    jobs: JobStore,
    devices: Catalogue,
    device_settings: DeviceSettingsStore,
) -> Submission:
    """The submission of ``job``; ``sender`` is the job whose program sends it.

    Raises:
        WrongStatus: it has been submitted before.
        BadJob: no such device, one that takes no jobs, no input, or a program that sends a program.
    """
    if job.state is not JobState.REGISTERED:
        raise WrongStatus(job.id, "submission", JobStatus.REGISTERED)
    device, provider = _accepting(body, sender, jobs, devices, device_settings)
    try:
        content = jobs.file(job.id, f"{INPUT}.zip")
    except NoResult:
        raise BadJob(f"job information input for {job.id} job not found") from None
    return Submission(device, content, provider)


def inline(
    body: InlineJob, sender: str | None, jobs: JobStore, devices: Catalogue, device_settings: DeviceSettingsStore
) -> Submission:
    """The submission of a job whose input came along, packed as if it had been uploaded.

    Raises:
        BadJob: no such device, one that takes no jobs, or a program that cannot be read or that sends a program.
    """
    device, provider = _accepting(body, sender, jobs, devices, device_settings)
    content = body.job_info.model_dump(mode="json", exclude_none=True)
    sent = json.dumps(content).encode()
    if body.job_type == TYPE:
        content[PROGRAM] = _decoded(content["program"])
    return Submission(device, pack(f"{INPUT}.json", json.dumps(content)), provider, sent)


def _decoded(programs: Sequence[str]) -> str:
    """The text of the Python program, which clients that send it inline send in base64.

    Raises:
        BadJob: there is not one, or it is not base64 of UTF-8.
    """
    try:
        (program,) = programs
        return base64.b64decode(program, validate=True).decode()
    except ValueError:
        raise BadJob("job_info.program of a job of the type sse must be one Python program, in base64.") from None


def _accepting(
    body: SubmitJobRequest | InlineJob,
    sender: str | None,
    jobs: JobStore,
    devices: Catalogue,
    device_settings: DeviceSettingsStore,
) -> tuple[Device, bool]:
    """The device that is meant, and whether its own engine runs its jobs.

    Raises:
        BadJob: no such device, one that takes no jobs, or a program that sends a program.
    """
    try:
        device = offered(_device(body.device_id, sender, jobs), devices)
    except (UnknownDevice, UnknownJob):
        raise BadJob("device not found") from None
    settings = device_settings.settings(device.name)
    if not settings.online:
        raise BadJob(f"device {body.device_id} is not available") from DeviceUnavailable(device.name)
    if sender and body.job_type == TYPE:
        raise BadJob("A program that runs beside a device can't send another one: send its jobs themselves.")
    return device, settings.provider


def _device(named: str, sender: str | None, jobs: JobStore) -> str:
    """The device that is meant: in a program that runs beside one, no name and `sse` stand for that one.

    Raises:
        UnknownJob: the program's own job is gone.
    """
    if sender is None or named not in ("", IDEAL_BESIDE):
        return named
    return device_beside(jobs.look(sender).device)
