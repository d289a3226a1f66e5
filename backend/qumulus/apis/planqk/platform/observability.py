"""Files of observability: what was seen of an execution from outside, each in a form that is written down elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qumulus.apis.dependencies import Jobs
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.media_types import media_type_of
from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownFile
from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore
from qumulus.openapi.contract import Operations, Reply
from qumulus.openapi.contract.replies import rendered

from .schemas import execution as wire
from .service_executions import Execution, Known, descent
from .translate import service_executions as translate
from .translate import usage

SAVED = {"X-Content-Type-Options": "nosniff"}
Made = Callable[[Job, Caller, JobStore, translate.Known], bytes]

FILES: Mapping[str, Made] = {
    "lineage.json": lambda job, caller, jobs, known: rendered(descent(job, caller, jobs, known)),
    "logs.txt": lambda job, _caller, jobs, _known: translate.plain(jobs.log(job.id)),
    "metrics.json": lambda job, _caller, _jobs, _known: rendered(usage.metrics(job)),
}

operation = Operations()


@operation("getServiceExecutionObservabilityFiles")
def get_service_execution_observability_files(
    id: wire.Id, execution: Execution, caller: PersonalCaller, jobs: Jobs, known: Known
) -> wire.ObservabilityFiles:
    del id
    files = FILES if execution.running_at is not None else {}
    sizes = {name: len(made(execution, caller, jobs, known)) for name, made in files.items()}
    return wire.ObservabilityFiles(files=[wire.ObservabilityFile(name=name, size=size) for name, size in sizes.items()])


@operation("getServiceExecutionObservabilityFile")
def get_service_execution_observability_file(
    id: wire.Id, filename: wire.Filename, execution: Execution, caller: PersonalCaller, jobs: Jobs, known: Known
) -> Reply[bytes]:
    del id
    if filename not in FILES or execution.running_at is None:
        raise UnknownFile(filename)
    content = FILES[filename](execution, caller, jobs, known)
    return Reply(content, media_type=media_type_of(filename, content), headers=SAVED)
