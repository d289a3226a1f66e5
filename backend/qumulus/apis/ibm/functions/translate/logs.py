"""What a function printed: for whom each line is says its first word."""

from __future__ import annotations

import re
from collections.abc import Iterable

from qumulus.core.errors import UnknownService
from qumulus.core.jobs import Job, JobState
from qumulus.core.services import Services, ServiceState, service_of

PUBLIC = re.compile(r"\[PUBLIC\] ?", re.IGNORECASE)
INSTALLING = "The packages of this function are being installed, once: the run begins when they are there.\n"
MARKED = re.compile(r"\[(PUBLIC|PRIVATE)\] ?", re.IGNORECASE)


def for_user(lines: Iterable[str], provided: bool) -> str:
    """What is for whoever runs a function: all of their own function, of a provider's what is marked as public."""
    return _text(line for line in lines if not provided or PUBLIC.match(line))


def for_provider(lines: Iterable[str]) -> str:
    """What is for the provider of a function: all but what is marked as public."""
    return _text(line for line in lines if not PUBLIC.match(line))


def while_it_waits(job: Job, services: Services) -> str:
    """Why a run has not begun, where the packages of its function are being installed; nothing otherwise."""
    if job.state is not JobState.QUEUED:
        return ""
    try:
        state = services.service(service_of(job.device)).state
    except UnknownService:  # the run fails in a moment, and says why
        return ""
    return INSTALLING if state is ServiceState.BUILDING else ""


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{MARKED.sub('', line, count=1) if MARKED.match(line) else line}\n" for line in lines)
