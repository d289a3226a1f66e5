"""Circuits of jobs, to be drawn: a worker decodes them, since no process that serves requests does."""

from __future__ import annotations

from asyncio import to_thread

from qumulus.apis.dependencies import Cloud
from qumulus.core import cloud as core
from qumulus.core.accounts import Caller
from qumulus.core.devices import calibrated_as
from qumulus.core.errors import Unavailable, WrongState
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import JobStore
from qumulus.core.sent_devices import with_documents
from qumulus.openapi.contract import Operations
from qumulus.payloads.drawings import DRAWING, CircuitToDraw

from .callers import Administrator
from .schemas.drawings import Drawing, Number, Stage
from .schemas.jobs import JobId

WAITS_SECONDS = 20.0
API = "emulator/drawing"
DEVICE = "qulacs"  # has no queue: the circuit's own device is named in what the worker gets

operation = Operations()


@operation("getJobCircuit")
async def get_job_circuit(
    job_id: JobId,
    circuit: Number,
    administrator: Administrator,
    cloud: Cloud,
    stage: Stage = Stage.SENT,
) -> Drawing:
    """The circuit, by way of a job that is forgotten as soon as it has ended."""
    drawn = await to_thread(_submitted, job_id, circuit, stage, cloud)
    if not drawn.final and not await cloud.settled.wait(drawn.id, WAITS_SECONDS):
        raise Unavailable("No worker has had time to draw the circuit: ask again when fewer jobs wait.")
    return Drawing.model_validate_json(await to_thread(_taken, drawn, cloud.jobs))


def _submitted(job_id: str, circuit: int, stage: Stage, cloud: core.Cloud) -> Job:
    """The job that draws; the same one as long as it has not ended, however often it is asked for.

    Raises:
        UnknownJob
        WrongState: the program of the job is not there (any more).
    """
    known = cloud.jobs.look(job_id)
    payload = cloud.jobs.payload(known.id)
    if not payload:
        raise WrongState(f"Job {known.id} has no program that could be drawn: it is private, or was never submitted.")
    wanted = CircuitToDraw(
        kind=known.kind,
        device=calibrated_as(known.device, known.request),
        calibration=known.calibration,
        options=known.request,
        circuit=circuit,
        stage="scheduled" if stage is Stage.SCHEDULED else "sent",
        documents=_documents(known, cloud) if stage is Stage.SCHEDULED else b"",
        payload=payload,
    )
    return cloud.jobs.submit(
        NewJob(
            account=known.account,
            device=DEVICE,
            kind=DRAWING.name,
            payload=DRAWING.encode(wanted),
            api=API,
            name=f"Drawing of {known.id}",
            idempotency_key=f"drawing {known.id} {circuit} {stage.value}",
        )
    )


def _documents(known: Job, cloud: core.Cloud) -> bytes:
    """What a worker needs of a device that no package has; nothing of others."""
    name = calibrated_as(known.device, known.request)
    if not cloud.device_imports.own(name):
        return b""
    device = cloud.catalogue.device(name)
    calibration = cloud.catalogue.calibration(device.name, calibration_id=known.calibration)
    return with_documents(device, calibration, cloud.catalogue.configuration(device.name), calibration.properties)


def _taken(drawn: Job, jobs: JobStore) -> bytes:
    """The result of the job that has drawn, which is forgotten.

    Raises:
        WrongState: there is no such circuit, or it can't be read.
    """
    ended = jobs.look(drawn.id)
    owner = Caller(account=ended.account)
    if ended.state is not JobState.SUCCEEDED:
        jobs.delete(ended.id, owner)
        raise WrongState(ended.reason or "The drawing was cancelled: ask again.")
    content, _media_type = jobs.result(ended.id)
    jobs.delete(ended.id, owner)
    return content
