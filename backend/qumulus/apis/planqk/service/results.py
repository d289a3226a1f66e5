"""What executions leave: results, files, interim results, logs."""

from __future__ import annotations

from functools import partial

from qumulus.apis.dependencies import Jobs
from qumulus.apis.planqk.media_types import media_type_of
from qumulus.apis.planqk.offered import Services
from qumulus.apis.planqk.results import rendered
from qumulus.core.errors import NoResult, UnknownFile
from qumulus.openapi.contract import Operations, Rendered, Reply

from .addresses import Base
from .executions import Awaited, Execution
from .interim import interim_results
from .schemas.execution import File, Id, InterimResults, Last, LogEntry, ResultResponse
from .schemas.service import Name
from .translate import executions as translate

operation = Operations()


@operation("getResult")
def get_result(
    service: Name, id: Id, _awaited: Awaited, job: Execution, jobs: Jobs, services: Services, base: Base
) -> Rendered[ResultResponse]:
    del id
    if not job.final:
        raise NoResult(job.id, translate.STATUSES[job.state])
    make = partial(translate.result, job, services.service(service), base.of(service), jobs.files(job.id))
    return Rendered.from_bytes(rendered(jobs, job, make))


@operation("getResultFile")
def get_result_file(service: Name, id: Id, file: File, job: Execution, jobs: Jobs) -> Reply[bytes]:
    del service, id
    if file not in jobs.files(job.id):
        raise UnknownFile(file)
    content = jobs.file(job.id, file)
    return Reply(content, media_type=media_type_of(file, content), headers={"X-Content-Type-Options": "nosniff"})


@operation("getInterimResults")
def get_interim_results(
    service: Name, id: Id, job: Execution, jobs: Jobs, last: Last = False
) -> Rendered[InterimResults]:
    del service, id
    told = list(interim_results(jobs.log(job.id)))
    if not last:
        return Rendered.joined(told)
    return Rendered(told[-1] if told else b"{}", None)


@operation("getLogs")
def get_logs(service: Name, id: Id, job: Execution, jobs: Jobs, services: Services) -> list[LogEntry]:
    del id
    return translate.log(job, services.service(service), jobs.log(job.id))
