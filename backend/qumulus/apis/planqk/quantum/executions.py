"""Jobs and sessions that the program of a service execution has sent: the same as elsewhere, and none but these."""

from __future__ import annotations

from qumulus.apis.dependencies import Clock, Devices, Jobs, Sessions
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.openapi.contract import Operations, Rendered, Reply

from . import calibrations, jobs, normalized, sessions, workloads
from .jobs import Awaited, Held
from .jobs import Known as KnownJob
from .schemas import job as wire
from .schemas import session as wire_session
from .schemas.calibration import Calibration
from .schemas.normalized import Input, Result
from .schemas.workload import ExecutionId, Page
from .sessions import Known as KnownSession

operation = Operations()


@operation("getServiceExecutionWorkloads")
def get_workloads(
    service_execution_id: ExecutionId,
    caller: PersonalCaller,
    jobs: Jobs,
    sessions: Sessions,
    clock: Clock,
    page: wire.Page = 0,
    size: wire.Size = 20,
    sort: wire.Sort | None = None,
) -> Page:
    only = [service_execution_id]
    return workloads.get_workloads(caller, jobs, sessions, clock, page, size, sort, service_execution_id=only)


@operation("getServiceExecutionJob")
def get_job(service_execution_id: ExecutionId, id: wire.JobId, known: KnownJob) -> wire.Job:
    del service_execution_id
    return jobs.get_job(id, known)


@operation("cancelServiceExecutionJob")
def cancel_job(
    service_execution_id: ExecutionId, id: wire.JobId, caller: PersonalCaller, known: KnownJob, store: Jobs
) -> None:
    del service_execution_id
    jobs.cancel_job(id, caller, known, store)


@operation("getServiceExecutionJobStatus")
def get_job_status(service_execution_id: ExecutionId, id: wire.JobId, held: Held, known: KnownJob) -> wire.JobState:
    del service_execution_id
    return jobs.get_job_status(id, held, known)


@operation("getServiceExecutionJobInput")
def get_job_input(service_execution_id: ExecutionId, id: wire.JobId, known: KnownJob, store: Jobs) -> wire.JobInput:
    del service_execution_id
    return jobs.get_job_input(id, known, store)


@operation("getServiceExecutionNormalizedJobInput")
def get_normalized_job_input(service_execution_id: ExecutionId, id: wire.JobId, known: KnownJob, store: Jobs) -> Input:
    del service_execution_id
    return normalized.get_normalized_job_input(id, known, store)


@operation("getServiceExecutionNormalizedJobResult")
def get_normalized_job_result(
    service_execution_id: ExecutionId, id: wire.JobId, awaited: Awaited, known: KnownJob, store: Jobs
) -> Result | Reply[None]:
    del service_execution_id
    return normalized.get_normalized_job_result(id, awaited, known, store)


@operation("getServiceExecutionJobResultStream")
def get_job_result_stream(
    service_execution_id: ExecutionId,
    id: wire.JobId,
    awaited: Awaited,
    known: KnownJob,
    store: Jobs,
    x_fern_runtime: wire.Client | None = None,
) -> Reply[Rendered[wire.JobResult]]:
    del service_execution_id
    return normalized.get_job_result_stream(id, awaited, known, store, x_fern_runtime)


@operation("getServiceExecutionJobCalibration")
def get_job_calibration(
    service_execution_id: ExecutionId, id: wire.JobId, known: KnownJob, devices: Devices
) -> Rendered[Calibration] | Reply[None]:
    del service_execution_id
    return calibrations.get_job_calibration(id, known, devices)


@operation("getServiceExecutionSession")
def get_session(
    service_execution_id: ExecutionId, id: wire_session.SessionId, known: KnownSession, clock: Clock
) -> wire_session.Session:
    del service_execution_id
    return sessions.get_session(id, known, clock)


@operation("updateServiceExecutionSession")
def update_session(
    service_execution_id: ExecutionId,
    id: wire_session.SessionId,
    body: wire_session.SessionUpdate,
    caller: PersonalCaller,
    known: KnownSession,
    store: Sessions,
    clock: Clock,
) -> wire_session.Session:
    del service_execution_id
    return sessions.update_session(id, body, caller, known, store, clock)


@operation("closeServiceExecutionSession")
def close_session(
    service_execution_id: ExecutionId,
    id: wire_session.SessionId,
    caller: PersonalCaller,
    known: KnownSession,
    store: Sessions,
) -> None:
    del service_execution_id
    sessions.close_session(id, caller, known, store)


@operation("getServiceExecutionSessionStatus")
def get_session_status(
    service_execution_id: ExecutionId, id: wire_session.SessionId, known: KnownSession, clock: Clock
) -> wire_session.SessionState:
    del service_execution_id
    return sessions.get_session_status(id, known, clock)


@operation("getServiceExecutionSessionJobs")
def get_session_jobs(
    service_execution_id: ExecutionId,
    id: wire_session.SessionId,
    caller: PersonalCaller,
    known: KnownSession,
    store: Jobs,
    page: wire.Page = 0,
    size: wire.Size = 20,
) -> wire.JobPage:
    del service_execution_id
    return sessions.get_session_jobs(id, caller, known, store, page, size)
