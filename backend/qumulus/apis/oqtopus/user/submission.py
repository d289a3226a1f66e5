"""What has to hold before a registered job is submitted, in upstream's order and words."""

from __future__ import annotations

from dataclasses import dataclass

from qumulus.apis.oqtopus.job_files import INPUT
from qumulus.apis.oqtopus.names import IDEAL_BESIDE
from qumulus.apis.oqtopus.programs import TYPE
from qumulus.core.devices import Device
from qumulus.core.errors import DeviceUnavailable, NoResult, UnknownDevice, UnknownJob
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import Catalogue, DeviceSettingsStore, JobStore
from qumulus.core.services import device_beside

from .errors import BadJob, WrongStatus
from .schemas.job import JobStatus, SubmitJobRequest


@dataclass(frozen=True, slots=True)
class Submission:
    """A job with all that it needs."""

    device: Device
    content: bytes  # the uploaded zip file
    provider: bool  # the device's own engine runs it


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
    try:
        device = devices.device(_device(body.device_id, sender, jobs))
    except (UnknownDevice, UnknownJob):
        raise BadJob("device not found") from None
    settings = device_settings.settings(device.name)
    if not settings.online:
        raise BadJob(f"device {body.device_id} is not available") from DeviceUnavailable(device.name)
    if sender and body.job_type == TYPE:
        raise BadJob("A program that runs beside a device can't send another one: send its jobs themselves.")
    try:
        content = jobs.file(job.id, f"{INPUT}.zip")
    except NoResult:
        raise BadJob(f"job information input for {job.id} job not found") from None
    return Submission(device, content, settings.provider)


def _device(named: str, sender: str | None, jobs: JobStore) -> str:
    """The device that is meant: in a program that runs beside one, no name and `sse` stand for that one.

    Raises:
        UnknownJob: the program's own job is gone.
    """
    if sender is None or named not in ("", IDEAL_BESIDE):
        return named
    return device_beside(jobs.look(sender).device)
