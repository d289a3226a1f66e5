"""Results of executions as every API of the family tells them: the members of what a program has left, and links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pydantic_core import from_json

from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore

MOST_MERGED = 64 << 20  # bytes of an output.json whose members become members of the result


def members(jobs: JobStore, job: Job) -> dict[str, Any]:
    """The members of `output.json`, where the execution left one that is an object."""
    if "output.json" not in jobs.files(job.id):
        return {}
    content = jobs.file(job.id, "output.json")
    try:
        value = from_json(content) if len(content) <= MOST_MERGED else None
    except ValueError:
        return {}  # no JSON: it can be downloaded as it is
    return value if isinstance(value, dict) else {}


def merged(
    members: Mapping[str, Any], status: Mapping[str, Any], files: Iterable[str], *, execution: str, result: str
) -> dict[str, Any]:
    """The members with the ``status`` of the execution and links; ``execution`` and ``result`` are addresses."""
    links = {name: f"{result}/{quote(name)}" for name in files}
    links |= {"self": result, "status": execution}
    return {
        **members,
        "_embedded": {"status": status},
        "_links": {name: {"href": href} for name, href in links.items()},
    }
