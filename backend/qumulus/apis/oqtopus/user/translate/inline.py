"""What the generation of clients before today's reads of a job: its input and its results in the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qumulus.apis.oqtopus.job_files import INPUT, Unreadable, unpack
from qumulus.apis.oqtopus.user.schemas.job import InlineJobInfo, JobResult, SubmitJobInfo, TranspileResult
from qumulus.core.errors import NotFound
from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore

RESULTS: Mapping[str, TypeAdapter[Any]] = {
    "combined_program": TypeAdapter(str),
    "result": TypeAdapter(JobResult),
    "transpile_result": TypeAdapter(TranspileResult),
}
"""The files that are shown, and what is in each."""


def information(job: Job, jobs: JobStore) -> InlineJobInfo | None:
    """What came with ``job`` and what it came to; None where the job was deleted meanwhile."""
    try:
        packed = {name: jobs.file(job.id, f"{name}.zip") for name in _there(job, jobs)}
    except NotFound:
        return None
    sent = SubmitJobInfo.model_validate(unpack(packed.pop(INPUT)))
    shown: dict[str, Any] = sent.model_dump(mode="json", exclude_none=True)
    reasons = [] if job.reason is None else [job.reason]
    for name, content in packed.items():
        try:
            shown[name] = RESULTS[name].validate_python(unpack(content))
        except (Unreadable, ValidationError) as error:  # an engine of a device's own has uploaded it
            what = error if isinstance(error, Unreadable) else "is not as OQTOPUS declares it"
            reasons.append(f"The file {name}.zip {what}: it is left out.")
    return InlineJobInfo.model_validate(shown | ({"message": " ".join(reasons)} if reasons else {}))


def _there(job: Job, jobs: JobStore) -> list[str]:
    files = jobs.files(job.id)
    return [INPUT, *(name for name in RESULTS if f"{name}.zip" in files)]
