"""The files of a job, by the names that both APIs call them. Zip files are packed here and opened elsewhere."""

from __future__ import annotations

from qumulus.core.jobs import Job
from qumulus.payloads.openqasm import INLINE

JOB_API = "oqtopus/user"
"""Where the jobs came in that have such files, as the core notes it."""

INPUT = "input"
OUTPUTS = ("combined_program", "result", "transpile_result", "sse_log")
ONLY_OF = {"combined_program": "multi_manual", "sse_log": "sse"}
"""Files that only one type of job has."""

SENT = "sent.json"
"""Of a job that came whole: the JSON object with its input, as answers show it. The one with its outputs is `SHOWN`."""

LEFT_OUT = "left_out.txt"
"""Why outputs of such a job are not shown."""


def key(job_id: str, name: str) -> str:
    """The key of a file in the storage."""
    return f"{job_id}/{name}.zip"


def inline(job: Job) -> bool:
    """Whether the job came whole, so that answers show its input and outputs themselves."""
    return bool(job.request.get(INLINE))
