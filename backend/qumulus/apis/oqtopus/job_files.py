"""The zip files of a job, by the names that both APIs call them."""

from __future__ import annotations

JOB_API = "oqtopus/user"
"""Where the jobs came in that have such files, as the core notes it."""

INPUT = "input"
OUTPUTS = ("combined_program", "result", "transpile_result", "sse_log")
ONLY_OF = {"combined_program": "multi_manual", "sse_log": "sse"}
"""Files that only one type of job has."""


def key(job_id: str, name: str) -> str:
    """The key of a file in the storage."""
    return f"{job_id}/{name}.zip"
