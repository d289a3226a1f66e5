"""The zip files of a job, by the names that both APIs call them."""

from __future__ import annotations

import io
import zipfile

JOB_API = "oqtopus/user"
"""Where the jobs came in that have such files, as the core notes it."""

INPUT = "input"
OUTPUTS = ("combined_program", "result", "transpile_result", "sse_log")
ONLY_OF = {"combined_program": "multi_manual", "sse_log": "sse"}
"""Files that only one type of job has."""

_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


def key(job_id: str, name: str) -> str:
    """The key of a file in the storage."""
    return f"{job_id}/{name}.zip"


def pack(entry: str, text: str) -> bytes:
    """A zip file with the text as its only entry."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(entry, _DATE), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()
