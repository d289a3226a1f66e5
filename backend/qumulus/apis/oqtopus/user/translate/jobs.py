"""Jobs as today's API shows and takes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from qumulus.apis.oqtopus.job_files import INPUT, JOB_API, OUTPUTS, key
from qumulus.apis.oqtopus.job_files import inline as is_inline
from qumulus.apis.oqtopus.names import IDEAL, shown
from qumulus.apis.oqtopus.programs import TYPE as PROGRAM_TYPE
from qumulus.apis.oqtopus.programs import sent_by
from qumulus.apis.oqtopus.user.schemas.job import InlineJob, JobStatus, Order, SubmitJobRequest
from qumulus.apis.oqtopus.user.schemas.job import Job as WireJob
from qumulus.apis.oqtopus.user.submission import Submission
from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import Catalogue, JobQuery, JobStore
from qumulus.core.results import Failure
from qumulus.core.services import queue_beside
from qumulus.openapi.contract.replies import rendered
from qumulus.payloads import OPENQASM_ARCHIVE, SENT_PROGRAM
from qumulus.payloads.archive import Archive
from qumulus.payloads.openqasm import INLINE

from . import inline

JOB_STATUS: Mapping[JobState, JobStatus] = {
    JobState.REGISTERED: JobStatus.REGISTERED,
    JobState.QUEUED: JobStatus.SUBMITTED,
    JobState.CLAIMED: JobStatus.READY,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.CANCELLING: JobStatus.CANCELLING,
    JobState.SUCCEEDED: JobStatus.SUCCEEDED,
    JobState.FAILED: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.CANCELLED,
}

MEMBERS = tuple(WireJob.model_fields)
EFFECTIVE = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}
"""What an empty transpiler_info comes to on the devices that are simulated here."""


def registered_job(caller: Caller, sender: str | None) -> NewJob:
    """A job that has nothing yet but an identifier; ``sender`` is the job whose program sends it."""
    tags = () if sender is None else (sent_by(sender),)
    return NewJob(
        account=caller.account, device=IDEAL, kind=OPENQASM_ARCHIVE.name, api=JOB_API, registered=True, tags=tags
    )


def submitted_job(body: SubmitJobRequest | InlineJob, registered: Job, submission: Submission, origin: str) -> NewJob:
    """A registered job with all that it needs to run; ``origin`` is where this API is, for a program that sends jobs itself."""
    members = body.model_dump(mode="json", exclude_unset=True)
    sent = {name: value for name, value in members.items() if value is not None}
    information, device = sent.get("transpiler_info", {}), submission.device.name
    beside = sent["job_type"] == PROGRAM_TYPE and not submission.provider
    kind = SENT_PROGRAM if beside else OPENQASM_ARCHIVE
    return NewJob(
        account=registered.account,
        device=queue_beside(device) if beside else device,
        kind=kind.name,
        payload=kind.encode(Archive(submission.content)),
        tags=registered.tags,
        attempts=1 if beside else 3,
        api=JOB_API,
        name=sent.get("name", ""),
        note=sent.get("description", ""),
        shots=body.shots,
        request={
            **({"device_id": body.device_id} if body.device_id.lower() == device else {}),
            "job_type": sent["job_type"],
            "transpiler_info": information if information or beside or submission.provider else EFFECTIVE,
            "simulator_info": sent.get("simulator_info", {}),
            "mitigation_info": sent.get("mitigation_info", {}),
            **({"origin": origin} if beside else {}),
            **({INLINE: True} if submission.sent is not None else {}),
        },
    )


def job_query(
    caller: Caller,
    start_time: datetime | None,
    end_time: datetime | None,
    status: JobStatus | None,
    text: str | None,
    page: int,
    size: int,
    order: Order,
) -> JobQuery:
    """Which of the caller's jobs a page shows."""
    return JobQuery(
        account=caller.account,
        api=JOB_API,
        states=None if status is None else frozenset(state for state, name in JOB_STATUS.items() if name is status),
        text=text or None,
        queued_after=start_time,
        queued_before=end_time,
        descending=order is Order.DESC,
        offset=(page - 1) * size,
        limit=size,
        counted=False,
    )


def job(
    job: Job,
    devices: Catalogue,
    jobs: JobStore,
    address: Callable[[str], str],
    members: Collection[str] = MEMBERS,
) -> bytes:
    """A job, as JSON, with those of the ``members`` that it has: clients take an address for a file that is there.

    Args:
        job: the core's job.
        devices: where its device is looked up.
        jobs: where its files are.
        address: gives where a file can be downloaded, by its key.
        members: the names of the members to show.
    """
    shown_members = _shown(job, devices)
    whole = "job_info" in members and job.queued_at is not None
    if whole and not is_inline(job):
        shown_members["job_info"] = _information(job, jobs.files(job.id), address)
    present = {name: value for name, value in shown_members.items() if name in members and value is not None}
    content = rendered(WireJob.model_validate(present))
    information = inline.information(job, jobs) if whole and is_inline(job) else None
    return content if information is None else inline.joined(content, b'{"job_info":%b}' % information)


def _shown(job: Job, devices: Catalogue) -> dict[str, Any]:
    """The members that stand in the job itself; what is only registered, or cancelled as such, has not more than two."""
    if job.queued_at is None:
        return {"job_id": job.id, "status": JOB_STATUS[job.state]}
    return {
        "job_id": job.id,
        "name": job.name or "",
        "description": job.note or "",
        "status": JOB_STATUS[job.state],
        "device_id": shown(job.device, devices),
        "shots": job.shots,
        **job.request,
        **_times(job),
    }


def _times(job: Job) -> dict[str, Any]:
    """When it was where. A program that cannot be run never came to the device: the job failed while it was ready."""
    ran = job.failure is not Failure.PROGRAM or job.kind == SENT_PROGRAM.name
    return {
        "execution_time": job.run_seconds if ran else None,
        "submitted_at": job.queued_at,
        "ready_at": job.claimed_at,
        "running_at": job.running_at if ran else None,
        "ended_at": job.ended_at,
    }


def _information(job: Job, files: Collection[str], address: Callable[[str], str]) -> dict[str, Any]:
    there = {name: address(key(job.id, name)) for name in OUTPUTS if f"{name}.zip" in files}
    there[INPUT] = address(key(job.id, INPUT))
    return there if job.reason is None else there | {"message": job.reason}
