"""Calibrations of backends, and those that jobs ran with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from pydantic_core import to_json

from qumulus.apis.dependencies import Devices
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core import devices as core
from qumulus.core.ports import Catalogue
from qumulus.openapi.contract import Operations, Rendered, Reply
from qumulus.openapi.wire import Time

from .jobs import Known as KnownJob
from .known import Known, backend
from .schemas import calibration as wire
from .schemas.backend import BackendId
from .schemas.job import JobId, Page, Size
from .translate.calibrations import calibration

NONE = 204
A_MOMENT = timedelta(microseconds=1)

operation = Operations()

Answer = Rendered[wire.Calibration] | Reply[None]


@operation("getBackendCalibration")
def get_backend_calibration(
    id: BackendId, _caller: PersonalCaller, devices: Devices, effective_at: Time | None = None
) -> Answer:
    return _answer(backend(id), devices, before=effective_at)


@operation("getJobCalibration")
@operation("getServiceExecutionJobCalibration")
def get_job_calibration(id: JobId, job: KnownJob, devices: Devices) -> Answer:
    del id
    known = backend(job.request["backend"])
    if job.calibration is not None:
        return _rendered(known, devices.calibration(known.device, calibration_id=job.calibration))
    return _answer(known, devices) if job.running_at else Reply(None, NONE)


def _answer(known: Known, devices: Catalogue, *, before: datetime | None = None) -> Answer:
    if known.simulator:
        return Reply(None, NONE)
    found = devices.calibration(known.device, before=before)
    return Reply(None, NONE) if before is not None and found.at > before else _rendered(known, found)


def _rendered(known: Known, found: core.Calibration) -> Rendered[wire.Calibration]:
    return Rendered.from_bytes(to_json(calibration(known, found)))


@operation("getBackendCalibrationHistory")
def get_backend_calibration_history(
    id: BackendId,
    _caller: PersonalCaller,
    devices: Devices,
    from_: Time,
    to: Time,
    page: Page = 0,
    size: Size = 20,
    sort: wire.Sort = wire.Sort.CALIBRATED_AT_DESC,
) -> Rendered[wire.CalibrationPage]:
    known = backend(id)
    every = [] if known.simulator else list(_between(devices, known.device, from_, to))
    ordered = every if sort is wire.Sort.CALIBRATED_AT_DESC else every[::-1]
    shown = [calibration(known, each) for each in islice(ordered, page * size, (page + 1) * size)]
    whole = {
        "content": shown,
        "page": page,
        "size": size,
        "total_elements": len(every),
        "total_pages": -(-len(every) // size),
    }
    return Rendered.from_bytes(to_json(whole))


def _between(devices: Catalogue, device: str, first: datetime, last: datetime) -> Iterator[core.Calibration]:
    """The calibrations of an interval, the newest first."""
    found = devices.calibration(device, before=last)
    while first <= found.at <= last:
        yield found
        last = found.at - A_MOMENT
        found = devices.calibration(device, before=last)
