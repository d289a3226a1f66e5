"""Results of executions as every API of the family tells them: the members of what a program has left, and links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json

from qumulus.apis.json_texts import reading
from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore

OUTPUT = "output.json"
MOST_MERGED = 64 << 20  # bytes of an output.json whose members become members of the result


def rendered(jobs: JobStore, job: Job, make: Callable[[Mapping[str, Any]], Any]) -> bytes:
    """What ``make`` makes of the members of `output.json`, as JSON; of none, where that is no object or can't be read."""
    content = jobs.file(job.id, OUTPUT) if OUTPUT in jobs.files(job.id) else b""
    if content and len(content) <= MOST_MERGED:
        with suppress(ValueError), reading(content) as value:  # no JSON: it can be downloaded as it is
            if isinstance(value, dict):
                return to_json(make(value))
    return to_json(make({}))


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
