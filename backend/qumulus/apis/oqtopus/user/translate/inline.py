"""What the generation of clients before today's reads of a job: its input and its results in the answer itself.

Both lie beside the job as the JSON objects that they are shown as, so that nothing of them is read here.
"""

from __future__ import annotations

import json

from qumulus.apis.oqtopus.job_files import LEFT_OUT, SENT
from qumulus.core.errors import NotFound
from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore
from qumulus.payloads.openqasm import SHOWN


def information(job: Job, jobs: JobStore) -> bytes | None:
    """Return what came with ``job`` and what it came to, as JSON; None where the job was deleted meanwhile."""
    try:
        there = jobs.files(job.id)
        objects = [jobs.file(job.id, name) for name in (SENT, SHOWN) if name in there]
        reasons = [jobs.file(job.id, LEFT_OUT).decode()] if LEFT_OUT in there else []
    except NotFound:
        return None
    if job.reason is not None:
        reasons.insert(0, job.reason)
    if reasons:
        objects.append(json.dumps({"message": " ".join(reasons)}).encode())
    return joined(*objects)


def joined(*objects: bytes) -> bytes:
    """Return the JSON object with the members of all, which have different names; each is written without blanks around it."""
    return b"{%b}" % b",".join(members for each in objects if (members := each[1:-1]))
