"""Rows and the core's types: the one place where the columns of a job are named one by one."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_

from qumulus.core.devices import calibrated_as
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import Claim
from qumulus.core.programs import Program
from qumulus.core.results import Failure
from qumulus.core.tracing import TRACE
from qumulus.storage.database.tables import AnyRow, jobs

JOB_NAMES = tuple(field.name for field in fields(Job))
JOB_COLUMNS = tuple(jobs.c[name] for name in JOB_NAMES)

SAME_NAMES = (
    "account", "device", "kind", "api", "name", "note", "shots", "session", "instance", "calibration", "private",
    "max_seconds", "attempts", "idempotency_key",
)  # fmt: skip

IS_ASIDE = jobs.c.lane.like("%\x1f%\x1f%")
IN_NAME_OF = "fault:"  # how the owner of a claim begins that a fault keeps
PROVIDER = "provider:"  # how the owner of a claim begins that an engine fetched: it outlives this server

CONVERSIONS: dict[str, Callable[[Any], Any]] = {"state": JobState, "tags": tuple, "failure": Failure}


def new_id(at: datetime) -> str:
    """Return a UUID of version 7: drawn by chance, and sorted by time so that new rows stand together."""
    return _uuid7(at, int.from_bytes(os.urandom(10)))


def _uuid7(at: datetime, drawn: int) -> str:
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    value = milliseconds << 80 | 0x7 << 76 | (drawn >> 62 & 0xFFF) << 64 | 0b10 << 62 | drawn & 0x3FFF_FFFF_FFFF_FFFF
    return str(uuid.UUID(int=value))


def seeded_id(seed: int, kind: str, number: int, at: datetime) -> str:
    """Return an identifier of the same form that follows from a seed, for the so-manieth thing of its kind."""
    drawn = hashlib.sha256(f"{seed} {kind} {number}".encode()).digest()
    return _uuid7(at, int.from_bytes(drawn[:10]))


def lane(device: str, account: str) -> str:
    """Return the queue of an account at a device."""
    return f"{device}\x1f{account}"


def aside(name: str, fault: str) -> str:
    """Return the lane in which the jobs of a lane stay because of a fault."""
    return f"{name}\x1f{fault}"


def fault_of(name: str) -> str:
    """Return the fault that keeps the jobs of a lane; empty where none does."""
    return "".join(name.split("\x1f")[2:])


def lanes_of(device: str) -> ColumnElement[bool]:
    """Return the condition that a job is in a lane of a device."""
    return and_(jobs.c.lane > lane(device, ""), jobs.c.lane < device + chr(0x20))


def device_and_account(name: str) -> tuple[str, str]:
    """Split a lane into its device and its account."""
    device, account = name.split("\x1f")[:2]
    return device, account


def job_values(new: NewJob, job_id: str, now: datetime) -> dict[str, Any]:
    """The columns of a new job. The payload is added by who knows where it stands."""
    values = {name: getattr(new, name) for name in SAME_NAMES}
    return values | {
        "id": job_id,
        "state": (JobState.REGISTERED if new.registered else JobState.QUEUED).value,
        "tags": list(new.tags),
        "request": dict(new.request),
        "created_at": now,
        "queued_at": None if new.registered else now,
        "lane": lane(new.device, new.account),
        "attempt": 0,
        "counted": 0,
        "returned": 0,
        "put_back": 0,
        "metadata": {},
        "trace": TRACE.get(),
    }


def to_job(row: Sequence[Any]) -> Job:
    """Return a job from a row of `JOB_COLUMNS`."""
    return _job(dict(zip(JOB_NAMES, row, strict=True)))


def to_job_of(columns: Mapping[str, Any]) -> Job:
    """Make a job from its columns; columns that are not there are null."""
    return _job({name: columns.get(name) for name in JOB_NAMES})


def _job(values: dict[str, Any]) -> Job:
    for name, convert in CONVERSIONS.items():
        if values[name] is not None:
            values[name] = convert(values[name])
    return Job(**values)


def to_claim(row: AnyRow, payload: bytes, seed: int) -> Claim:
    """Return a claim from a row that has just been claimed."""
    program = Program(
        job_id=row.id,
        kind=row.kind,
        payload=payload,
        device=calibrated_as(row.device, row.request),
        calibration=row.calibration,
        shots=row.shots,
        seed=seed,
        options=row.request,
    )
    return Claim(
        job_id=row.id,
        attempt=row.attempt,
        program=program,
        device=row.device,
        account=row.account,
        session=row.session,
        counted_attempts=row.counted,
        attempts=row.attempts,
        max_seconds=row.max_seconds,
        queued_at=row.queued_at,
        trace=row.trace,
        lost_because=row.lost_because,
        fetched=row.owner.startswith(PROVIDER),
        put_back=row.put_back,
    )
