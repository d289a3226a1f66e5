"""Executions of the core and jobs of the platform's first generation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qumulus.apis.given import given, said
from qumulus.apis.json_texts import sent
from qumulus.apis.planqk.platform.schemas import job as wire
from qumulus.core.errors import InvalidRequest
from qumulus.core.jobs import Job, JobState

from .services import time

RESULTS = ("output.json", "output.txt")
MOST_SHOWN = 16 << 20  # bytes of a result that is told as a text
STATUSES: Mapping[JobState, wire.Status] = {
    JobState.REGISTERED: wire.Status.PENDING,
    JobState.QUEUED: wire.Status.PENDING,
    JobState.CLAIMED: wire.Status.PENDING,
    JobState.RUNNING: wire.Status.RUNNING,
    JobState.CANCELLING: wire.Status.RUNNING,
    JobState.SUCCEEDED: wire.Status.SUCCEEDED,
    JobState.FAILED: wire.Status.FAILED,
    JobState.CANCELLED: wire.Status.CANCELLED,
}


def values(body: wire.Request) -> Mapping[str, Any]:
    """The parameters that are sent as texts, by the name that the program has for them.

    Raises:
        InvalidRequest: one is not JSON.
    """
    texts = {"data": given(body.input_data), "params": given(body.parameters)}
    return {name: _value(name, text) for name, text in texts.items() if text}


def _value(name: str, text: str) -> Any:
    try:
        return sent(text)
    except ValueError as error:
        told = {"data": "inputData", "params": "parameters"}[name]
        raise InvalidRequest(f"{told} is not JSON: {error}.") from None


def references(body: wire.Request) -> Mapping[str, Any]:
    """The parameters that stand in data pools."""
    told = {"data": given(body.input_data_ref), "params": given(body.parameters_ref)}
    return {name: each.model_dump(by_alias=True) for name, each in told.items() if each is not None}


def overview(job: Job) -> wire.Job:
    """An execution without what went in and came out."""
    return wire.Job(
        id=job.id,
        status=STATUSES[job.state],
        created_at=time(job.created_at),
        started_at=said(None if job.running_at is None else time(job.running_at)),
        ended_at=said(None if job.ended_at is None else time(job.ended_at)),
    )


def job(job: Job, payload: bytes, left: bytes | None) -> wire.Job:
    """An execution with its input and, once it has ended, its result."""
    brought = json.loads(payload)
    texts = {name: None if name not in brought else json.dumps(brought[name]) for name in ("data", "params")}
    shown = None if left is None or len(left) > MOST_SHOWN else left.decode("utf-8", "replace")
    return overview(job).model_copy(
        update={
            name: text
            for name, text in {"input_data": texts["data"], "parameters": texts["params"], "result": shown}.items()
            if text is not None
        }
    )
